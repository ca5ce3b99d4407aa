import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { Release } from './release.js';
import { run } from './run.js';

const npmBom = z.looseObject({
  metadata: z.looseObject({ component: z.looseObject({}) }),
  components: z.array(z.unknown()),
});

/** Writes the CycloneDX bill of materials: what npm knows of the packages, and the Node that the artifacts contain. */
export function sbom(file: string, { name, node, epochSeconds }: Release): void {
  const bom = npmBom.parse(JSON.parse(run('npm', ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev'])));
  const timestamp = new Date(epochSeconds * 1000).toISOString();
  const whole = {
    ...bom,
    // npm names the product after the folder.
    metadata: { ...bom.metadata, timestamp, component: { ...bom.metadata.component, name } },
    components: [...bom.components, nodeComponent(node)],
  };
  const serialNumber = uuidOf(JSON.stringify({ ...whole, serialNumber: undefined }));
  writeFileSync(file, `${JSON.stringify({ ...whole, serialNumber: `urn:uuid:${serialNumber}` }, undefined, 2)}\n`);
}

const nodeComponent = (version: string) => ({
  type: 'application',
  'bom-ref': `node@${version}`,
  name: 'node',
  version,
  purl: `pkg:generic/node@${version}`,
  cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`,
  licenses: [{ license: { id: 'MIT' } }],
});

/** npm takes a random serial number; this one is the same for the same content (version 8 of RFC 9562). */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  );
}
