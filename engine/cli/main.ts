// The entry of the bin `quorumlab`.
import { run } from './program.ts';
import { tolerateClosedPipes } from './terminal.ts';

tolerateClosedPipes();
await run(process.argv.slice(2));
