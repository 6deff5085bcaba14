/** Where an attribute's value stands in the text of a start tag. Pure. */
import { QuoteType, Tokenizer } from 'htmlparser2';

export interface AttributeValue {
  /** Offsets in the tag's text, without the quotes. */
  readonly from: number;
  readonly to: number;
  readonly quoted: boolean;
}

/** `tag`: the start tag and nothing else. Of several of one name the first counts (HTML §13.2.5.33). Undefined where it has no value. */
export function attributeValue(tag: string, name: string): AttributeValue | undefined {
  let found: AttributeValue | undefined;
  let current = '';
  let over = false;
  let from = 0;
  let to = 0;
  const wanted = name.toLowerCase();
  const nothing = (): void => {};
  const tokenizer = new Tokenizer({ decodeEntities: false }, {
    onattribname(start, end) {
      current = tag.slice(start, end).toLowerCase();
    },
    onattribdata(start, end) {
      from = start; // once for each value, as nothing is decoded
      to = end;
    },
    onattribend(quote) {
      if (current !== wanted || over) return;
      over = true;
      if (quote !== QuoteType.NoValue) found = { from, to, quoted: quote !== QuoteType.Unquoted };
    },
    onattribentity: nothing, oncdata: nothing, onclosetag: nothing, oncomment: nothing, ondeclaration: nothing, onend: nothing, onopentagend: nothing,
    onopentagname: nothing, onprocessinginstruction: nothing, onselfclosingtag: nothing, ontext: nothing, ontextentity: nothing,
  });
  tokenizer.write(tag);
  return found;
}
