export { LiveSlots, type FillingsStatus, type HeardTimes } from './live-slots.ts';
export { templateCheck } from './template-check.ts';
