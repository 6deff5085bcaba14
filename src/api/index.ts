export { startApi, type ApiServer, type ApiSource } from './server.ts';
export type { Status } from './status.ts';
