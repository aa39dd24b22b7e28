// Keys of the page: which command a key means, and when it is left to what has the focus.

const COLORS = ["category", "scale_factor", "job", "waited", "on_gpu", "remaining"];

/** Command of a key: [name, ...arguments], or null. */
export function commandOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const step = event.shiftKey ? 10 : 1;
  switch (event.key) {
    case " ": return ["toggle"];
    case "ArrowLeft": return ["step", -step];
    case "ArrowRight": return ["step", step];
    case "Home": return ["first"];
    case "End": return ["last"];
    case ",": return ["faster", -1];
    case ".": return ["faster", 1];
    case "[": return ["loopFrom"];
    case "]": return ["loopTo"];
    case "\\": return ["noLoop"];
    case "d": return ["flip", "difference"];
    case "f": return ["flip", "flash"];
    case "j": return ["jump"];
    case "0": return ["wholeCluster"];
    case "Escape": return ["letGo"];
    default: return COLORS[Number(event.key) - 1] ? ["color", COLORS[Number(event.key) - 1]] : null;
  }
}

/** Whether a key belongs to what has the focus: a field that is typed into, a menu, a table, a dialog. The slider under
 * the scrubber is an input and yet not typed into: its own keys would step twice. */
export function isTakenBy(target, event, focusedByPointer) {
  if (!(target instanceof Element)) return false;
  if (target.id === "cluster-slider") return false;
  if (target.closest("input:not([type=checkbox]), textarea, select, [contenteditable=true]")) return true;
  if (target.closest("[role=dialog], .dash-dropdown-content, .ag-root, .dropdown-menu.show")) return true;
  // Space presses what has the focus (not a link), unless a mouse put it there: a button clicked a moment ago should
  // not swallow the space that means play.
  return event.key === " " && target.closest("button, input") !== null && !focusedByPointer;
}
