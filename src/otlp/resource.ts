import { detectResources, envDetector, type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  ATTR_SERVER_ADDRESS,
  ATTR_SERVICE_INSTANCE_ID,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_VERSION,
} from '@opentelemetry/semantic-conventions';

/**
 * The resource of all restore telemetry of a server. `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` may add to it
 * and change name and version of the service, but not which server it is: they are the same for all servers.
 */
export function serverResource({ server, url, version }: { server: string; url: URL; version: string }): Resource {
  return resourceFromAttributes({ [ATTR_SERVICE_NAME]: 'vb365-exporter', [ATTR_SERVICE_VERSION]: version })
    .merge(detectResources({ detectors: [envDetector] }))
    .merge(resourceFromAttributes({ [ATTR_SERVICE_INSTANCE_ID]: server, [ATTR_SERVER_ADDRESS]: addressOf(url) }));
}

/** Without the brackets that a URL puts around an IPv6 address. */
const addressOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');
