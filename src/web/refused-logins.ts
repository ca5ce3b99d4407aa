import { alarm } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import type { LoginRefusal } from '../model/labels.js';

const intervalMs = 60_000;

/**
 * Logs refused logins: the first at once, the others together, in one line per minute. The name of the user is left out:
 * it may be a mistyped password. A request without a login is how a browser begins, and is not logged.
 * @param after see `alarm`.
 */
export function refusedLoginLog(log: Pick<Log, 'warn'>, after = alarm) {
  let count = 0;
  let lastAddress = '';
  let isResting = false;
  const write = (): void => {
    isResting = count > 0;
    if (count === 0) return;
    log.warn('Logins refused', { count, last_address: lastAddress });
    count = 0;
    after(intervalMs, write);
  };
  return (reason: LoginRefusal, address: string): void => {
    if (reason === 'missing') return;
    count += 1;
    lastAddress = address;
    if (!isResting) write();
  };
}
