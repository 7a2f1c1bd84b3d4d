// Runs the built command line as a person would, and keeps what it printed.
import { type ChildProcess, spawn } from 'node:child_process';
import { type Exit, eventually, program } from './harness.ts';

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

export class CliProcess {
  stdout = '';
  stderr = '';
  exit: Exit | null = null;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      this.stdout += chunk;
    });
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      this.stderr += chunk;
    });
    child.on('close', (code, signal) => {
      this.exit = { code, signal };
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  exited(): Promise<Exit> {
    return eventually('the command ends', () => this.exit);
  }

  /** The first line on standard output, parsed. Throws with standard error when it ends without one. */
  firstJson<T>(): Promise<T> {
    return eventually('a line of JSON', () => {
      if (this.stdout.includes('\n')) return JSON.parse(this.stdout.slice(0, this.stdout.indexOf('\n'))) as T;
      if (this.exit !== null) throw new Error(`it ended with ${JSON.stringify(this.exit)}: ${this.stderr}`);
      return null;
    });
  }
}

export interface CliOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
}

export async function startCli(args: readonly string[], { env, cwd }: CliOptions = {}): Promise<CliProcess> {
  const child = spawn(process.execPath, [await program('cli.js'), ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  child.stdin.on('error', () => {});
  child.stdin.end();
  return new CliProcess(child);
}

/** Runs a command to its end. */
export async function cli(
  args: readonly string[],
  { input, ...options }: CliOptions & { input?: string | Uint8Array } = {},
): Promise<Finished> {
  const child = spawn(process.execPath, [await program('cli.js'), ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input ?? '');
  const running = new CliProcess(child);
  const { code } = await running.exited();
  return { code, stdout: running.stdout, stderr: running.stderr };
}
