// The few things every part of the page does with the DOM.

export const byId = (id) => document.getElementById(id);

/** Set properties of a Dash component. */
export const setProps = (id, props) => window.dash_clientside.set_props(id, props);

/** An element with a class, and text or children. */
export function make(tag, className = "", content = []) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...[].concat(content));
  return element;
}

/** Write a text where it differs: nothing is laid out anew for the same words. */
export function write(element, text) {
  if (element && element.textContent !== text) element.textContent = text;
}

/** A link to another page of the app, which is not loaded anew. */
export function pageLink(text, href, title) {
  const link = make("a", "gd-button gd-button-link cluster-page-link", text);
  Object.assign(link, { href, title });
  link.addEventListener("click", (event) => {
    event.stopPropagation();
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    window.dash_clientside.shell.go(link.getAttribute("href"));
  });
  return link;
}

/** Offer bytes to the user as a file. */
export function download(blob, name) {
  const link = make("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
