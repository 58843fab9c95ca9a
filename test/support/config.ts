/** The configuration of a service of a test. */
import { type Config, loadConfig } from '../../src/config.ts';
import { type Environment, localEnvironment } from './service.ts';

/** Everything under `directory`, and one reader: a second is a thread more to start for every test. */
export function testConfig(directory: string, environment: Environment = {}): Config {
  return loadConfig({ ...localEnvironment(directory), TELEMETRY_READERS: '1', ...environment }, null);
}
