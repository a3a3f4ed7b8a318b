/** First names of the simulated users; some are outside ASCII, as real directories have them. */
export const FIRST_NAMES =
  'Alice Bob Carla Daniel Eva Farid Grace Hugo Inès Jürgen Karin Liam Mónica Noah Olga Priya Quentin Rosa Søren Tomás Uma Viktor Wendy Xin Yara Zoë Łukasz 太郎 Ольга Ægir'.split(
    ' ',
  );

/** Last names of the simulated users. */
export const LAST_NAMES =
  "Adams Bauer Costa Dubois Evans Fischer García Huang Ivanov Jansen Köhler Larsen Müller Nowak O'Brien Patel Quinn Rossi Smith Tanaka Usman Varga Weiß Xu Yılmaz Zhang 山田 Šimek Ødegård D'Angelo".split(
    ' ',
  );

/** Shares of the simulated file servers. */
export const SHARES = [
  'Finance',
  'HR',
  'Engineering',
  'Legal',
  'Projects',
  'Vertrieb & Marketing',
  'Общая',
  '経理部',
];

/** Folders below a share. */
export const FOLDERS = [
  '2024',
  '2025',
  '2026',
  'Q3',
  'Budget',
  'Verträge',
  'Contratación',
  'Données clients',
  'Kunden Übersicht',
  'Архив',
  '会議資料',
  'R&D',
  'Payroll (confidential)',
  "Director's Office",
  'old;new=50%',
  'Łódź',
  '📁 shared',
];

/** File names without their extension. */
export const FILE_STEMS = [
  'q3',
  'q3-final',
  'Budget 2026',
  'Angebot_Müller',
  'résumé',
  'Лист1',
  '請求書',
  'salary review',
  'board minutes [draft]',
  'source.tar',
  'Kopie von Kopie',
  '~$lock',
  'naïve café',
  'emoji 🎉 party',
  'invoice #4711',
  'a+b=c',
];

/** Extensions of files. */
export const EXTENSIONS = ['xlsx', 'docx', 'pdf', 'pptx', 'txt', 'csv', 'zip', 'dwg', 'msg', 'jpg', 'tmp'];

/** Programs that touch files on a server itself. */
export const PROCESSES = [
  'explorer.exe',
  'System',
  'robocopy.exe',
  'backup agent.exe',
  'powershell.exe',
  'smbd',
];

/** Browsers and clients. */
export const USER_AGENTS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0',
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15',
  'Microsoft Office Word/16.0.17928 (Windows/10.0; Desktop x64; de-DE)',
  'OneDriveMpc/1.0',
  'Microsoft SkyDriveSync 25.201.1012.0002 ship; Windows NT 10.0 (19045)',
];
