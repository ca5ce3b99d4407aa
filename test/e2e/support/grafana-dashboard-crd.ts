/** A Go duration as the Grafana Operator takes it: no days, and not empty. */
const duration = '^([0-9]+(\\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$';

const text = { type: 'string' };
const selector = {
  type: 'object',
  properties: {
    matchLabels: { type: 'object', additionalProperties: text },
    matchExpressions: {
      type: 'array',
      items: {
        type: 'object',
        required: ['key', 'operator'],
        properties: { key: text, operator: text, values: { type: 'array', items: text } },
      },
    },
  },
  'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'spec.instanceSelector is immutable' }],
};

/**
 * What the Grafana Operator 5 takes for a GrafanaDashboard, after its own definition, which no package registry has: the
 * keys for where a dashboard comes from and goes to, with its rules. Any other key is unknown here.
 */
export const grafanaDashboardDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'grafanadashboards.grafana.integreatly.org' },
  spec: {
    group: 'grafana.integreatly.org',
    scope: 'Namespaced',
    names: { kind: 'GrafanaDashboard', plural: 'grafanadashboards', singular: 'grafanadashboard' },
    versions: [{ name: 'v1beta1', served: true, storage: true, schema: { openAPIV3Schema: schema() } }],
  },
};

function schema(): object {
  const spec = {
    type: 'object',
    required: ['instanceSelector'],
    properties: {
      allowCrossNamespaceImport: { type: 'boolean', default: false },
      configMapRef: {
        type: 'object',
        required: ['key'],
        properties: { name: text, key: text, optional: { type: 'boolean' } },
      },
      folder: text,
      folderRef: text,
      folderUID: text,
      instanceSelector: selector,
      json: text,
      resyncPeriod: { ...text, pattern: duration },
      url: text,
    },
    'x-kubernetes-validations': [
      { rule: '!(has(self.folderUID) && has(self.folderRef))', message: 'Only one of folderUID or folderRef' },
      { rule: '!(has(self.folder) && (has(self.folderRef) || has(self.folderUID)))', message: 'folder stands alone' },
      {
        rule: '!oldSelf.allowCrossNamespaceImport || self.allowCrossNamespaceImport',
        message: 'disabling spec.allowCrossNamespaceImport requires a recreate',
      },
    ],
  };
  return { type: 'object', properties: { apiVersion: text, kind: text, metadata: { type: 'object' }, spec } };
}
