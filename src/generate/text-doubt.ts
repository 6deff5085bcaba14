/**
 * Distrust of pages by what a person would read in them: a page that kept its frame but lost its text, and one that shows an error in the
 * site's own clothes and says 200. Goes further than `catalog`'s `doubtOf`, which the serving process asks too, because it may parse and
 * knows what the page used to be like. A page about errors is a page: an error has little to say, and says it where there was something else.
 * Pure. Measured on the cases listed in `text-doubt.test.ts`.
 */
import type { Doubt } from '../catalog/index.ts';
import { wordsOf, type TextBlock, type VisibleText } from './visible-text.ts';

/** What good copies of a page usually have. */
export interface UsualText {
  readonly words: number;
  readonly mainWords: number;
}

/** Pages with fewer words are not judged by their words. */
const judgedWordsMin = 40;
/** Parts of the usual words, all or main ones. */
const emptiedBelow = 0.2;
const shrunkenBelow = 0.4;
/** Of the main text of the copy before, what is still there when a page has merely been worked on. */
const keptMin = 0.5;
/** Error pages have no more main text than this; with a title or heading that says so, and beside a copy that had another text. */
const errorWordsMax = 60;
const titledErrorWordsMax = 120;
/** Words of a block that may be nothing but an error message. */
const messageWordsMax = 40;

/**
 * Begins, or is, what error pages say. Only whole sentences, so that a headline is none. English, and the usual sentence in German, French,
 * Spanish, Portuguese, Italian, Dutch, Polish, Russian, Japanese and Chinese.
 */
const messages: readonly RegExp[] = [
  /^(?:http\s+)?(?:error\s*(?:code)?:?\s*)?5(?:00|02|03|04|2\d)\b\W+(?:internal server error|bad gateway|service (?:temporarily )?unavailable|gateway time-?out|error)\b|^(?:http\s+)?error\s*(?:code)?:?\s*5(?:00|02|03|04|2\d)\W*$/i,
  /^(?:we(?:'|’)?re |we are )?(?:sorry|oops|whoops|uh[- ]oh|hoppla)?[\s,.!:…-]*(?:but )?(?:(?:an?|some) )?(?:unexpected |internal |unknown |application |server |technical )*error (?:has |have )?(?:just )?(?:occurred|happened)\b/i,
  /^(?:internal server error|bad gateway|gateway time-?out|service (?:is )?(?:temporarily |currently )?unavailable|(?:critical|fatal|application|database|template|rendering) error|uncaught (?:\w+)?(?:error|exception))\b.{0,200}$/i,
  /^(?:we(?:'|’)?re |we are )?(?:sorry|oops|whoops|uh[- ]oh)?[\s,.!:…-]*(?:but )?something (?:went|has gone) (?:terribly |badly )?wrong(?:\s*[.!…]|\s*$|\s+(?:on our (?:end|side)|here|while|when we|with (?:this|your) request))/i,
  /^(?:sorry|oops)?[\s,.!:-]*(?:we|this (?:site|page|service)) (?:are|is|were|was) (?:currently |temporarily )?(?:experiencing (?:technical )?(?:difficulties|problems|issues)|unable to (?:load|process|complete|display|show|reach)|having (?:trouble|technical)|down for|undergoing|unavailable)\b/i,
  /^(?:sorry|oops)?[\s,.!:-]*(?:we|the (?:page|content|server)) (?:could ?n[o'’]t|can ?n[o'’]t|couldn(?:'|’)t|can(?:'|’)t|failed to) (?:be )?(?:load|process|complete|display|reach|connect|render)/i,
  /^(?:error|failure) (?:establishing|while|during|when|in) (?:a |the )?(?:database|connect|render|process|load|fetch|includ)/i,
  /\b(?:SQLSTATE\[|ORA-\d{5}\b|Traceback \(most recent call last\)|java\.lang\.\w+(?:Exception|Error)|ECONNREFUSED|ETIMEDOUT|at \S+ \(\S+:\d+:\d+\)|Fatal error: |mysqli?_connect\(|Liquid error|Exception in thread|upstream (?:connect error|request timeout)|NullReferenceException|undefined method `)/,
  /^(?:(?:es|leider) ist )?(?:leider )?(?:ein |einen )?(?:\w+ )?fehler (?:ist )?(?:aufgetreten|passiert)|^(?:es|leider) ist .{0,20}ein .{0,20}fehler (?:aufgetreten|passiert)|^(?:die |diese )?(?:seite|website|dienst) ist (?:derzeit|zurzeit|momentan|vorübergehend) nicht (?:verfügbar|erreichbar)/i,
  /^(?:désolée?,? )?une erreur (?:\w+ )?(?:est survenue|s(?:'|’)est produite)|^(?:lo sentimos[,.]? )?(?:se )?ha (?:ocurrido|producido) un error|^se produjo un error|^(?:desculpe[,.]? )?ocorreu um erro|^si è verificato un errore|^er is (?:iets (?:mis|fout)|een fout)|^wystąpił błąd|^произошла ошибка|^(?:申し訳.{0,20})?(?:システム)?エラーが発生|^(?:发生|出现)了?(?:内部|系统|未知)?错误/i,
];

/** Elsewhere a bare number is a price. */
const headingMessage = /^(?:http\s+)?5(?:00|02|03|04)\W*$/i;

export function textDoubt(now: VisibleText, usual: UsualText | undefined, before: VisibleText | undefined): Doubt | undefined {
  if (isError(now, usual, before)) return 'error-page';
  if (!usual) return undefined;
  const kept = Math.min(part(now.words, usual.words), part(now.mainWords, usual.mainWords));
  if (kept < emptiedBelow) return 'emptied';
  return kept < shrunkenBelow ? 'shrunken' : undefined;
}

/** What was not much is not missed. */
function part(words: number, usual: number): number {
  return usual < judgedWordsMin ? 1 : words / usual;
}

function isError(now: VisibleText, usual: UsualText | undefined, before: VisibleText | undefined): boolean {
  if (!saysError(now, before)) return false;
  if (!before) return now.mainWords <= errorWordsMax || (usual !== undefined && now.mainWords < usual.mainWords * shrunkenBelow);
  const little = now.mainWords <= titledErrorWordsMax || now.mainWords < before.mainWords * shrunkenBelow;
  return little && keptPart(now, before) < keptMin;
}

/** Whether a block of the main text, or its heading, is an error message that was not there before. */
function saysError(now: VisibleText, before: VisibleText | undefined): boolean {
  const known = new Set(before?.blocks.map((block) => block.text));
  return now.blocks.some((block) => isMessage(block) && !known.has(block.text));
}

function isMessage({ text, words, main, heading }: TextBlock): boolean {
  return (main || heading) && words <= messageWordsMax && (messages.some((message) => message.test(text)) || (heading && headingMessage.test(text)));
}

/** How much of the main text before is still there, by its words; 1 where there was none. */
function keptPart(now: VisibleText, before: VisibleText): number {
  const left = new Map<string, number>();
  for (const word of mainWordsOf(now)) left.set(word, (left.get(word) ?? 0) + 1);
  let kept = 0;
  let all = 0;
  for (const word of mainWordsOf(before)) {
    all++;
    const count = left.get(word) ?? 0;
    if (count === 0) continue;
    left.set(word, count - 1);
    kept++;
  }
  return all === 0 ? 1 : kept / all;
}

function* mainWordsOf(text: VisibleText): Iterable<string> {
  for (const block of text.blocks) if (block.main) yield* wordsOf(block.text);
}
