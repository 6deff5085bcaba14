// The audience switch in the footer, and prices that follow the shop while the page is open.
const choice = document.querySelector('#audience');
choice.value = /(?:^|; )segment=(\w+)/.exec(document.cookie)?.[1] ?? 'new';
choice.addEventListener('change', () => {
  document.cookie = `segment=${choice.value}; path=/; max-age=86400; samesite=lax`;
  location.reload();
});

const money = new Intl.NumberFormat(document.documentElement.lang, { style: 'currency', currency: 'EUR' });
async function refreshPrices() {
  try {
    const prices = await (await fetch(`/api/prices.json?segment=${choice.value}`)).json();
    for (const shown of document.querySelectorAll('[data-price]')) {
      const cents = prices[shown.dataset.price];
      if (cents !== undefined) shown.textContent = money.format(cents / 100);
    }
  } catch {
    // The page keeps the prices it came with.
  }
}
setInterval(refreshPrices, 10_000);
