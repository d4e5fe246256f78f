/* The reader's choice of light or dark, set before anything is drawn; without one the system decides. */
try {
  const kept = localStorage.getItem("theme");
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
} catch { /* storage is closed to us: the system decides */ }
