/** A file event with nothing but what has to be there. */
export function fileEvent(host: string, path = 'p'): object {
  return {
    TimeLogged: new Date().toISOString(),
    ActivityType: 'FileSystem',
    Host: host,
    Operation: 'Read',
    Path: path,
    UserName: 'u',
  };
}
