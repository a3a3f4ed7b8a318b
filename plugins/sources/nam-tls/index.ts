export { namTlsSource } from './nam-tls.source.js';
