import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { run } from './run.js';

/** What every artifact is named and dated after. */
export type Release = Readonly<{
  name: string;
  version: string;
  homepage: string;
  /** Version of the Node that the artifacts contain: the one that the tests ran on. */
  node: string;
  /** Time of every file in the artifacts, in seconds since 1970, so that two builds give the same bytes. */
  epochSeconds: number;
  revision: string;
}>;

/** `SOURCE_DATE_EPOCH`, else the time of the commit. @throws {Error} without either. */
export function readRelease({ SOURCE_DATE_EPOCH: epoch }: NodeJS.ProcessEnv): Release {
  const { name, version, homepage, devDependencies } = readJson(manifest, 'package.json');
  const [time = '', revision = ''] = epoch === undefined ? lastCommit() : [epoch, optionalRevision()];
  if (!/^\d+$/.test(time)) throw new Error('Could not date the artifacts: set SOURCE_DATE_EPOCH to whole seconds');
  return { name, version, homepage, node: devDependencies.node, epochSeconds: Number(time), revision };
}

const manifest = z.object({
  name: z.string(),
  version: z.string(),
  homepage: z.string(),
  devDependencies: z.object({ node: z.string() }),
});

/** A JSON file of this repository. @throws {Error} unless it has the shape that `schema` describes. */
export const readJson = <S extends z.ZodType>(schema: S, path: string): z.output<S> =>
  schema.parse(JSON.parse(readFileSync(path, 'utf8')));

const lastCommit = (): readonly string[] => run('git', ['log', '-1', '--format=%ct %H']).trim().split(' ');

function optionalRevision(): string {
  try {
    return run('git', ['rev-parse', 'HEAD']).trim();
  } catch {
    return 'unknown';
  }
}
