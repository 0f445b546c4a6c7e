// Tells the window that opened this popup how it ended, and no window of another origin.
const told = document.getElementById("told").dataset;
history.replaceState(null, "", location.pathname); // nothing of a sign-in stays in it
if (window.opener) {
  window.opener.postMessage(told.message, told.origin);
  window.close();
}
