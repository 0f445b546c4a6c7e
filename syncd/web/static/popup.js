"use strict";

// The message is for the window that opened this one, and only if it is of the origin that the
// application registered: a browser gives it to no other.
const told = document.getElementById("told");
history.replaceState(null, "", location.pathname);
if (window.opener && told.dataset.origin) {
  window.opener.postMessage(told.dataset.message, told.dataset.origin);
  window.close();
}
