/** The check of a configuration's templates, for whoever loads one: they are compiled as the brain will, without its feeds. */
import type { TemplateCheck } from '../../config/index.ts';
import { Templates } from './templates.ts';

export function templateCheck(): TemplateCheck {
  const templates = new Templates();
  return (template, around) => templates.problem(template, around);
}
