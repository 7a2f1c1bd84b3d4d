// The version that nodes, the command line and the panel report. Equal to the package's; a test holds it there.

export const VERSION = '0.1.0';
