// The Cluster page in the browser: binds the player to the DOM and to Dash. One page at a time; leaving it ends it.

import { ClusterPage } from "./cluster_page.mjs";
import { byId } from "./panels/dom.mjs";

let page = null;

/** The page whose elements are in the document; a page that has gone is ended first. */
function current() {
  const root = byId("cluster-page");
  if (page && page.root !== root) {
    page.destroy();
    page = null;
  }
  if (page === null && root) {
    page = new ClusterPage(root);
    window.gavel = { player: page.face };
  }
  return page;
}

/** Called by Dash with the runs to show. */
export const load = (infos) => current()?.runs.load(infos ?? []);

/** Called by Dash with the frames that were asked for. */
export const frame = (frames) => frames && current()?.frame(frames);

/** Called by Dash with the node sizes that the browser remembers. */
export const nodeSizes = (sizes) => current()?.nodes.setSizes(sizes);

/** Called by Dash when a control has changed. */
export const choose = () => current()?.controls.choose();

// Dash tells nobody that a page has gone.
new MutationObserver(() => {
  if (page && !page.root.isConnected) {
    page.destroy();
    page = null;
    delete window.gavel;
  }
}).observe(document.body, { childList: true, subtree: true });
