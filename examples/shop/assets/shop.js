// The audience switch in the footer, prices that follow the shop while the page is open, and what this browser has looked at.
const choice = document.querySelector('#audience');
choice.value = /(?:^|; )segment=(\w+)/.exec(document.cookie)?.[1] ?? 'new';
choice.addEventListener('change', () => {
  document.cookie = `segment=${choice.value}; path=/; max-age=86400; samesite=lax`;
  location.reload();
});

const money = new Intl.NumberFormat(document.documentElement.lang, { style: 'currency', currency: 'EUR' });
async function refreshPrices() {
  try {
    const prices = await (await fetch('/api/prices.json')).json();
    for (const shown of document.querySelectorAll('[data-price]')) {
      const price = prices[shown.dataset.price];
      if (price !== undefined) shown.textContent = money.format(price);
    }
  } catch {
    // The page keeps the prices it came with.
  }
}
setInterval(refreshPrices, 10_000);

// Interests stay with the visitor: half of what they were, and the category of this page. Whoever serves the next page shows the list that is most like them.
const category = document.querySelector('[data-category]')?.dataset.category;
if (category) {
  const known = decodeURIComponent(/(?:^|; )interests=([^;]*)/.exec(document.cookie)?.[1] ?? '');
  const weights = new Map(known.split(',').filter(Boolean).map((pair) => pair.split(':')).map(([name, weight]) => [name, Number(weight) / 2]));
  weights.set(category, (weights.get(category) ?? 0) + 0.5);
  const value = [...weights].filter(([, weight]) => weight > 0.02).map(([name, weight]) => `${name}:${weight.toFixed(2)}`).join(',');
  document.cookie = `interests=${encodeURIComponent(value)}; path=/; max-age=2592000; samesite=lax`;
}

// The list is everybody's of that taste, so it may hold the very thing that is being looked at.
for (const link of document.querySelectorAll('#recs a')) if (link.pathname === location.pathname) link.closest('.card').remove();
