import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Container, type Manifest, only } from './helm.js';

/** What podman needs to run the container of the chart as Kubernetes would: mounts, rights and arguments. */
export type ChartContainer = Readonly<{ container: Container; options: readonly string[]; args: readonly string[] }>;

/** Takes it from what the chart has made; the files of ConfigMap and Secret are written into `folder`, state goes to `volume`. */
export function chartContainer(manifests: readonly Manifest[], folder: string, volume: string): ChartContainer {
  const [container] = only(manifests, 'StatefulSet').spec.template.spec.containers;
  if (container === undefined) throw new Error('The pod has no container');
  const of = (kind: string): Manifest => named(manifests, kind);
  const sources: Readonly<Record<string, string>> = {
    state: volume,
    config: written(join(folder, 'config'), of('ConfigMap').data ?? {}),
    secrets: written(join(folder, 'secrets'), decoded(of('Secret').data ?? {})),
  };
  const mounts = (container.volumeMounts ?? []).flatMap(({ name, mountPath, readOnly }) => {
    const source = sources[name];
    if (source === undefined) throw new Error(`No source for the volume ${name}`);
    return ['--volume', `${source}:${mountPath}${readOnly === true ? ':ro' : ''}`];
  });
  return { container, options: [...rightsOf(container), ...mounts], args: container.args ?? [] };
}

/** The object that has the name of the release and nothing more. */
function named(manifests: readonly Manifest[], kind: string): Manifest {
  return only(
    manifests.filter(({ metadata }) => metadata.name === 'r-vb365-exporter'),
    kind,
  );
}

function rightsOf({ securityContext }: Container): readonly string[] {
  const { runAsUser, runAsGroup, readOnlyRootFilesystem, allowPrivilegeEscalation } = securityContext;
  return [
    '--user',
    `${String(runAsUser)}:${String(runAsGroup)}`,
    '--cap-drop=ALL',
    '--read-only-tmpfs=false',
    ...(readOnlyRootFilesystem === true ? ['--read-only'] : []),
    ...(allowPrivilegeEscalation === false ? ['--security-opt=no-new-privileges'] : []),
  ];
}

const decoded = (data: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64').toString()]));

/** Writes files that everybody may read; answers their folder. */
function written(folder: string, files: Readonly<Record<string, string>>): string {
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o444 });
  return folder;
}
