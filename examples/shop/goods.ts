/**
 * What the shop sells: 60 made-up everyday goods in six categories. Plain data; prices and stock live in `market.ts`,
 * because they change while the names do not.
 */
export const languages = ['en', 'de', 'pt'] as const;
export type Language = (typeof languages)[number];
export type Text = Readonly<Record<Language, string>>;

export interface Category { readonly id: string; readonly name: Text; readonly hue: number; readonly shape: 'mug' | 'lamp' | 'leaf' | 'book' | 'bag' | 'tool' }
export interface Product { readonly id: string; readonly category: Category; readonly name: Text; readonly baseCents: number; readonly number: number }

export const categories: readonly Category[] = [
  { id: 'kitchen', name: { en: 'Kitchen', de: 'Küche', pt: 'Cozinha' }, hue: 18, shape: 'mug' },
  { id: 'light', name: { en: 'Light', de: 'Licht', pt: 'Luz' }, hue: 46, shape: 'lamp' },
  { id: 'garden', name: { en: 'Garden', de: 'Garten', pt: 'Jardim' }, hue: 130, shape: 'leaf' },
  { id: 'paper', name: { en: 'Paper', de: 'Papier', pt: 'Papel' }, hue: 210, shape: 'book' },
  { id: 'travel', name: { en: 'Travel', de: 'Reise', pt: 'Viagem' }, hue: 265, shape: 'bag' },
  { id: 'workshop', name: { en: 'Workshop', de: 'Werkstatt', pt: 'Oficina' }, hue: 340, shape: 'tool' },
];

type Row = readonly [en: string, de: string, pt: string, cents: number];

const rows: Readonly<Record<string, readonly Row[]>> = {
  kitchen: [
    ['Stoneware mug', 'Steinzeugbecher', 'Caneca de grés', 1450], ['Bread board', 'Brotbrett', 'Tábua de pão', 2900], ['Tea strainer', 'Teesieb', 'Coador de chá', 850],
    ['Iron pan', 'Eisenpfanne', 'Frigideira de ferro', 4900], ['Salt jar', 'Salztopf', 'Saleiro', 1250], ['Wooden spoon', 'Holzlöffel', 'Colher de pau', 650],
    ['Linen towel', 'Leinentuch', 'Pano de linho', 1190], ['Glass bowl', 'Glasschüssel', 'Tigela de vidro', 1790], ['Pepper mill', 'Pfeffermühle', 'Moinho de pimenta', 3400], ['Egg cups', 'Eierbecher', 'Oveiros', 1600],
  ],
  light: [
    ['Desk lamp', 'Schreibtischlampe', 'Candeeiro de mesa', 7900], ['Paper lantern', 'Papierlaterne', 'Lanterna de papel', 1900], ['Candle holder', 'Kerzenhalter', 'Castiçal', 2200],
    ['Clip light', 'Klemmleuchte', 'Luz de mola', 2600], ['Night light', 'Nachtlicht', 'Luz de presença', 1500], ['Floor lamp', 'Stehlampe', 'Candeeiro de pé', 12900],
    ['Reading light', 'Leselicht', 'Luz de leitura', 3100], ['String of lights', 'Lichterkette', 'Cordão de luzes', 2400], ['Torch', 'Taschenlampe', 'Lanterna', 1800], ['Pendant shade', 'Lampenschirm', 'Abajur', 5200],
  ],
  garden: [
    ['Watering can', 'Gießkanne', 'Regador', 2700], ['Hand trowel', 'Pflanzkelle', 'Pá de mão', 1300], ['Seed box', 'Samenkiste', 'Caixa de sementes', 2100],
    ['Clay pot', 'Tontopf', 'Vaso de barro', 990], ['Garden twine', 'Gartenschnur', 'Cordel', 590], ['Bird feeder', 'Futterhaus', 'Comedouro', 3300],
    ['Pruning shears', 'Gartenschere', 'Tesoura de poda', 2850], ['Rain gauge', 'Regenmesser', 'Pluviómetro', 1700], ['Kneeling mat', 'Kniematte', 'Almofada de joelhos', 1450], ['Herb labels', 'Kräuterschilder', 'Etiquetas de ervas', 700],
  ],
  paper: [
    ['Dotted notebook', 'Notizbuch, gepunktet', 'Caderno pontilhado', 1350], ['Sketch pad', 'Skizzenblock', 'Bloco de esboço', 1600], ['Wall calendar', 'Wandkalender', 'Calendário de parede', 1900],
    ['Letter set', 'Briefpapier', 'Papel de carta', 1750], ['Pencil roll', 'Stifterolle', 'Rolo de lápis', 2450], ['Index cards', 'Karteikarten', 'Fichas', 600],
    ['Gift wrap', 'Geschenkpapier', 'Papel de embrulho', 480], ['Map of stars', 'Sternkarte', 'Mapa de estrelas', 2800], ['Paper knife', 'Brieföffner', 'Abre-cartas', 1150], ['Postcards', 'Postkarten', 'Postais', 900],
  ],
  travel: [
    ['Day pack', 'Tagesrucksack', 'Mochila', 6900], ['Wash bag', 'Kulturbeutel', 'Nécessaire', 2950], ['Flask', 'Isolierflasche', 'Garrafa térmica', 2600],
    ['Packing cubes', 'Packtaschen', 'Organizadores', 3200], ['Rain cape', 'Regenponcho', 'Capa de chuva', 4100], ['Luggage tag', 'Kofferanhänger', 'Etiqueta de mala', 950],
    ['Neck pillow', 'Nackenkissen', 'Almofada de viagem', 2300], ['Tote bag', 'Tragetasche', 'Saco de pano', 1500], ['Passport cover', 'Passhülle', 'Capa de passaporte', 1800], ['Picnic rug', 'Picknickdecke', 'Manta de piquenique', 4400],
  ],
  workshop: [
    ['Claw hammer', 'Hammer', 'Martelo', 2700], ['Spirit level', 'Wasserwaage', 'Nível', 2200], ['Folding rule', 'Zollstock', 'Metro articulado', 1100],
    ['Hand saw', 'Handsäge', 'Serrote', 3100], ['Wood glue', 'Holzleim', 'Cola de madeira', 750], ['Work apron', 'Schürze', 'Avental', 3900],
    ['Screw box', 'Schraubenkiste', 'Caixa de parafusos', 1950], ['Block plane', 'Hobel', 'Plaina', 5600], ['Sanding block', 'Schleifklotz', 'Bloco de lixa', 680], ['Tool roll', 'Werkzeugrolle', 'Rolo de ferramentas', 4300],
  ],
};

export const products: readonly Product[] = categories.flatMap((category, at) =>
  (rows[category.id] ?? []).map(([en, de, pt, baseCents], row) => ({
    id: en.toLowerCase().replaceAll(/[^a-z]+/g, '-'), category, name: { en, de, pt }, baseCents, number: at * 10 + row,
  })));

export const productById: ReadonlyMap<string, Product> = new Map(products.map((product) => [product.id, product]));
