import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { normalize, tarGz } from './archives.js';
import { type Processor, writeTree } from './linux-tree.js';
import type { Release } from './release.js';
import { run } from './run.js';

/** Makes .deb, .rpm and .tar.gz for one processor in `out`. `stage` is a folder for the files that go in. */
export function linuxPackages(out: string, stage: string, processor: Processor, release: Release): void {
  const folder = join(stage, `linux-${processor}`);
  writeTree(join(folder, 'tree'), processor, release);
  for (const packager of ['deb', 'rpm'] as const) nfpm(packager, resolve(out), folder, { processor, release });
  tarball(out, stage, processor, release);
}

type Target = Readonly<{ processor: Processor; release: Release }>;

function nfpm(packager: 'deb' | 'rpm', out: string, folder: string, { processor, release }: Target): void {
  cpSync('packaging/linux', join(folder, 'linux'), { recursive: true });
  writeFileSync(join(folder, 'changelog.gz'), gzipSync(debianChangelog(release), { level: 9 }));
  normalize(folder, release.epochSeconds);
  run('nfpm', ['package', '--config', 'linux/nfpm.yaml', '--packager', packager, '--target', out], {
    cwd: folder,
    env: {
      ARCH: processor,
      VERSION: release.version,
      HOMEPAGE: release.homepage,
      SOURCE_DATE_EPOCH: String(release.epochSeconds),
    },
  });
}

/** Debian wants its own format; the changes themselves are in CHANGELOG.md. */
function debianChangelog({ name, version, epochSeconds }: Release): string {
  const [, maintainer = ''] = /^maintainer: (.*)$/m.exec(readFileSync('packaging/linux/nfpm.yaml', 'utf8')) ?? [];
  const date = new Date(epochSeconds * 1000).toUTCString().replace('GMT', '+0000');
  return `${name} (${version}-1) stable; urgency=medium\n\n  * See CHANGELOG.md.\n\n -- ${maintainer}  ${date}\n`;
}

/** The tree with its unit and configuration for /usr/local. */
function tarball(out: string, stage: string, processor: Processor, release: Release): void {
  const name = `${release.name}-${release.version}-linux-${processor}`;
  const folder = join(stage, name);
  cpSync(join(stage, `linux-${processor}`, 'tree'), folder, { recursive: true });
  const unit = join(folder, 'lib/systemd/system/vb365-exporter.service');
  writeFileSync(unit, readFileSync(unit, 'utf8').replace('=/usr/bin/', '=/usr/local/bin/'));
  const etc = join(folder, 'share/doc/vb365-exporter/etc/vb365-exporter');
  mkdirSync(join(etc, 'secrets'), { recursive: true });
  cpSync('packaging/linux/vb365-exporter.yaml', join(etc, 'vb365-exporter.yaml'));
  normalize(folder, release.epochSeconds);
  tarGz(join(out, `${name}.tar.gz`), stage, name, release.epochSeconds);
}
