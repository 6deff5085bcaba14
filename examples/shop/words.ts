/** The shop's sentences in its three languages. */
import type { Language } from './goods.ts';
import type { Segment } from './market.ts';

interface Words {
  readonly tagline: string; readonly home: string; readonly bestsellers: string; readonly addToCart: string; readonly inStock: string; readonly soldOut: string;
  readonly alsoLike: string; readonly cart: string; readonly account: string; readonly added: string; readonly about: string; readonly aboutText: string;
  readonly delivery: string; readonly deliveryText: string; readonly notFound: string; readonly accountText: string; readonly cartText: string; readonly madeAt: string;
  readonly blurb: string; readonly greeting: Readonly<Record<Segment, string>>;
}

export const words: Readonly<Record<Language, Words>> = {
  en: {
    tagline: 'Useful things, kept simple', home: 'Home', bestsellers: 'Much asked for just now', addToCart: 'Put in the cart', inStock: 'in stock', soldOut: 'sold out, back soon',
    alsoLike: 'You may also like', cart: 'Cart', account: 'Account', added: 'Thank you, it is in your cart.', about: 'About', delivery: 'Delivery',
    aboutText: 'This shop exists only as an example: nothing here can really be bought. It shows how pages that differ by device, language and audience stay available when their server does not.',
    deliveryText: 'Everything is delivered at once and for nothing, because nothing is sold.', notFound: 'There is no such page.',
    accountText: 'This page is private: it is made for one visitor and never stored by anybody.', cartText: 'Carts live on the origin only. While it is down you get an honest answer instead of a wrong one.',
    madeAt: 'Page made at', blurb: 'Made to last, easy to mend, and plain enough to go with what you have.',
    greeting: { new: 'Welcome! Everything you see is an example.', loyal: 'Good to see you again: 5 % off everything.', vip: 'Your 12 % are already taken off.' },
  },
  de: {
    tagline: 'Nützliche Dinge, einfach gehalten', home: 'Start', bestsellers: 'Gerade sehr gefragt', addToCart: 'In den Warenkorb', inStock: 'auf Lager', soldOut: 'ausverkauft, bald wieder da',
    alsoLike: 'Das könnte auch gefallen', cart: 'Warenkorb', account: 'Konto', added: 'Danke, liegt im Warenkorb.', about: 'Über uns', delivery: 'Lieferung',
    aboutText: 'Diesen Laden gibt es nur als Beispiel: zu kaufen gibt es nichts. Er zeigt, wie Seiten, die sich nach Gerät, Sprache und Publikum unterscheiden, erreichbar bleiben, wenn ihr Server es nicht ist.',
    deliveryText: 'Alles kommt sofort und kostet nichts, denn es wird nichts verkauft.', notFound: 'Diese Seite gibt es nicht.',
    accountText: 'Diese Seite ist privat: Sie wird für eine Person gemacht und nirgends gespeichert.', cartText: 'Warenkörbe gibt es nur am Ursprung. Ist er weg, kommt eine ehrliche Antwort statt einer falschen.',
    madeAt: 'Seite erstellt um', blurb: 'Hält lange, lässt sich reparieren und passt zu dem, was schon da ist.',
    greeting: { new: 'Willkommen! Alles hier ist ein Beispiel.', loyal: 'Schön, dass Sie wieder da sind: 5 % auf alles.', vip: 'Ihre 12 % sind schon abgezogen.' },
  },
  pt: {
    tagline: 'Coisas úteis e simples', home: 'Início', bestsellers: 'Muito procurado agora', addToCart: 'Pôr no carrinho', inStock: 'em stock', soldOut: 'esgotado, volta em breve',
    alsoLike: 'Talvez goste também', cart: 'Carrinho', account: 'Conta', added: 'Obrigado, está no carrinho.', about: 'Sobre', delivery: 'Entrega',
    aboutText: 'Esta loja é apenas um exemplo: nada aqui se pode comprar. Mostra como páginas que mudam com o aparelho, a língua e o público continuam disponíveis quando o servidor não está.',
    deliveryText: 'Tudo chega logo e não custa nada, porque nada é vendido.', notFound: 'Esta página não existe.',
    accountText: 'Esta página é privada: é feita para uma pessoa e não é guardada por ninguém.', cartText: 'Os carrinhos existem só na origem. Se ela falhar, recebe uma resposta honesta em vez de uma errada.',
    madeAt: 'Página feita às', blurb: 'Feito para durar, fácil de reparar e discreto para combinar com o que já tem.',
    greeting: { new: 'Bem-vindo! Tudo aqui é um exemplo.', loyal: 'Que bom voltar a vê-lo: 5 % de desconto em tudo.', vip: 'Os seus 12 % já estão descontados.' },
  },
};
