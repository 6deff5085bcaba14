export * from './channel.ts';
export * from './messages.ts';
export * from './ipc.ts';
