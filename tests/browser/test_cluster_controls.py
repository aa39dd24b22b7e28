"""The Cluster page's controls: buttons, keys, speeds, loop and jumps."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from gavel_dash.figures.player_colors import COLOR_BY
from gavel_dash.pages.cluster import KEYS
from gavel_dash.sweep import Sweep
from tests.browser.player import (
    choose,
    expect_record,
    open_cluster,
    shown_job_ids,
    state,
    wait_query,
    wait_state,
)

pytestmark = pytest.mark.browser

NAME = "fig9_max_min_fairness_3.2jph_single_s1"
SPEEDS = [0.25, 0.5, 1, 2, 5, 10, 20, 50, 100]
SLIDER = "#cluster-slider"
#: What each key of the help sheet does to a page that rests at record 100: state that must follow.
EFFECTS = {
    "Space": {"playing": True},
    "←": {"position": 99},
    "→": {"position": 101},
    "Shift ←": {"position": 90},
    "Shift →": {"position": 110},
    "Home": {"position": 0},
    "End": {"position": 5189},
    ",": {"speed": 0.5},
    ".": {"speed": 2},
    "[": {"loop": [100, 5189]},
    "]": {"loop": [0, 100]},
    "\\": {"loop": None},
    **{str(k): {"colorBy": color} for k, color in reversed([*enumerate(COLOR_BY, start=1)])},
    "d": {"difference": True},
    "f": {"flash": True},
    "j": {},
    "0": {},
    "Esc": {"selectedJob": None},
}
#: What undoes a key, and what must be there before.
UNDO = {"Space": ["Space"], ",": ".", ".": ",", "[": "\\", "]": "\\", "d": "d", "f": "f"}
PREPARE = {
    "\\": "window.gavel.player.model.set({ loop: [5, 9] })",
    "Esc": "window.gavel.player.model.set({ selectedJob: 100 })",
    "0": "window.gavel.player.shown()[0].renderer.zoomTo([2, 5, 0, 1])",
}
NAMES = {"←": "ArrowLeft", "→": "ArrowRight", "Esc": "Escape"}


def keys_of_the_help_sheet() -> list[str]:
    keys: list[str] = []
    for text, _ in KEYS:
        *modifier, rest = text.split(" ", 1) if text.startswith("Shift ") else [text]
        found = ["1", "2", "3", "4", "5", "6"] if "–" in rest else rest.split()
        keys += [" ".join([*modifier, key]) for key in found]
    return keys


def press(page: Page, key: str) -> None:
    page.keyboard.press("+".join(NAMES.get(part, part) for part in key.split()))


def test_every_key_of_the_help_sheet_does_what_it_says(page: Page, bundled_address: str) -> None:
    assert sorted(keys_of_the_help_sheet()) == sorted(EFFECTS)
    open_cluster(page, bundled_address, NAME, round=100)
    for focus in (None, SLIDER):
        for key, effect in EFFECTS.items():
            if focus:
                page.locator(focus).focus()
            page.evaluate(PREPARE.get(key, "null"))
            press(page, key)
            wait_state(page, **effect)
            if key == "j":
                expect(page.locator("#cluster-jump")).to_be_focused()
                page.locator("#cluster-jump").blur()
            if key == "0":
                page.wait_for_function("window.gavel.player.shown()[0].renderer.zoom === null")
            if "position" in effect:
                wait_state(page, index=effect["position"])
                assert state(page)["position"] == effect["position"]  # a slider's own keys would step once more
            for undo in UNDO.get(key, ""):
                press(page, undo)
            wait_state(page, playing=False, speed=1, loop=None, flash=False, difference=False)
            page.evaluate("window.gavel.player.seek(100)")
            wait_state(page, index=100)


def test_every_button_acts_and_leaves_space_to_play(page: Page, bundled_address: str, sweep: Sweep) -> None:
    open_cluster(page, bundled_address, NAME, round=100)
    last = sweep[NAME].n_rounds - 1
    steps = {"next": 101, "last": last, "previous": last - 1, "first": 0}
    for name, index in steps.items():
        page.click(f"#cluster-{name}")
        expect_record(page, index)
    play = page.locator("#cluster-play")
    play.click()
    expect(play).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("window.gavel.player.stats().index > 0")
    play.click()
    expect(play).to_have_attribute("aria-pressed", "false")
    wait_state(page, playing=False)
    # A button that was clicked does not swallow the key that means play; one reached by Tab is pressed by it.
    page.click("#cluster-last")
    expect_record(page, last)
    page.keyboard.press("Space")
    wait_state(page, playing=True)
    page.keyboard.press("Space")
    wait_state(page, playing=False)
    play.focus()
    page.keyboard.press("Tab")
    expect(page.locator("#cluster-next")).to_be_focused()
    before = state(page)["position"]
    page.keyboard.press("Space")
    wait_state(page, position=before + 1, playing=False)


def test_typing_is_left_alone(page: Page, bundled_address: str) -> None:
    open_cluster(page, bundled_address, NAME, round=100)
    before = state(page)
    page.click("#cluster-jump")
    for k, key in enumerate("12 df.,[]0", start=1):  # Dash puts the caret back a moment after each
        page.keyboard.type(key)
        expect(page.locator("#cluster-jump")).to_have_value("12 df.,[]0"[:k])
    for key in ("ArrowLeft", "Home", "End", "Shift+ArrowRight"):
        page.keyboard.press(key)
    expect(page.locator("#cluster-jump")).to_have_value("12 df.,[]0")
    page.click("#cluster-run")
    expect(page.locator(".dash-dropdown-content input:focus")).to_have_count(1)
    page.keyboard.type("f 3.2")
    expect(page.locator(".dash-dropdown-search")).to_have_value("f 3.2")
    page.keyboard.press("Escape")
    assert state(page) == before


def test_speeds_from_keys_and_menu_and_time_that_keeps_them(page: Page, bundled_address: str) -> None:
    open_cluster(page, bundled_address, NAME, round=100)
    for key, speeds in ((",", SPEEDS[1::-1]), (",", SPEEDS[:1]), (".", SPEEDS[1:]), (".", SPEEDS[-1:])):
        for speed in speeds:
            press(page, key)
            wait_state(page, speed=speed)
            expect(page.locator("#cluster-speed")).to_have_text(f"{speed:g}×")
    # Keys that come faster than Dash says what the one before did: none is lost, and none undone.
    seen = page.evaluate(
        """async () => {
          const { model } = window.gavel.player;
          const seen = [];
          const stop = model.on(["speed"], () => seen.push(model.get("speed")));
          for (const key of ",,,,,,,,........") {
            document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
            await new Promise(requestAnimationFrame);
          }
          stop();
          return seen;
        }"""
    )
    assert seen == [*SPEEDS[-2::-1], *SPEEDS[1:]]
    expect(page.locator("#cluster-speed")).to_have_text("100×")
    choose(page, "speed", "20×")
    wait_state(page, speed=20)
    wait_query(page, speed=20)
    rounds, seconds = page.evaluate(
        """async () => {
          const { model, play, pause } = window.gavel.player;
          const [from, since] = [model.get("position"), performance.now()];
          play();
          const isThere = () => model.get("position") >= from + 100;
          await new Promise((resolve) => model.on(["position"], () => isThere() && resolve()));
          const found = [model.get("position") - from, (performance.now() - since) / 1000];
          pause();
          return found;
        }"""
    )
    # 100 rounds a second, less what one frame may be late.
    assert rounds <= 100 * seconds + 1
    assert rounds >= 100 * seconds - 25


def test_a_loop_wraps_while_playing_and_is_let_go(page: Page, bundled_address: str) -> None:
    open_cluster(page, bundled_address, NAME, round=40)
    page.click("#cluster-loop-from")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.click("#cluster-loop-to")
    wait_state(page, loop=[40, 44])
    expect(page.locator("#cluster-loop-from")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".cluster-loop")).to_be_visible()
    wait_query(page, loop="40,44")
    choose(page, "speed", "5×")
    seen = page.evaluate(
        """async () => {
          const { model, play, pause } = window.gavel.player;
          const seen = [];
          play();
          await new Promise((resolve) => model.on(["position"], () => {
            seen.push(model.get("position"));
            if (seen.length === 12) resolve();
          }));
          pause();
          return seen;
        }"""
    )
    assert min(seen) >= 40
    assert max(seen) <= 44
    assert sum(np.diff(seen) < 0) >= 2
    page.keyboard.press("\\")
    wait_state(page, loop=None)
    expect(page.locator(".cluster-loop")).to_be_hidden()
    wait_query(page, loop=None)


def test_jumps_lead_to_rounds_hours_and_jobs(page: Page, bundled_address: str, sweep: Sweep) -> None:
    run = sweep[NAME]
    jobs = run.jobs()
    rounds, sim_time_s = run.clock()
    job = jobs[jobs["completed"] & (jobs["arrival_round"] > 0)].iloc[-200]
    row = int(job.name)  # type: ignore[arg-type]
    job_id = int(job["job_id"])
    never = int(jobs.loc[~jobs["completed"], "job_id"].iloc[0])
    unseen = int(jobs.loc[run.first_starts < 0, "job_id"].iloc[0])
    end = int(np.searchsorted(rounds, job["completion_round"], "right")) - 1
    jumps = {
        "1,200": int(np.searchsorted(rounds, 1200)),
        "round 7": int(np.searchsorted(rounds, 7)),
        "250 h": int(np.searchsorted(sim_time_s, 250 * 3600, "right")) - 1,
        f"job {job_id}": int(np.searchsorted(rounds, job["arrival_round"], "right")),
        f"Job {job_id} START": int(run.first_starts[row]),
        f"job {job_id} end": end,
    }
    open_cluster(page, bundled_address, NAME, round=100)
    jump = page.locator("#cluster-jump")
    for text, index in jumps.items():
        jump.fill(text)
        jump.press("Enter")
        expect_record(page, index)
    wait_state(page, selectedJob=job_id)
    assert job_id in shown_job_ids(page)
    assert job_id not in run.allocation(end + 1)
    for text, sentence in {
        "soon": '"soon" is no place to go to',
        "999999": f"The last round is {rounds[-1]:,}.",
        "99999 h": "The run ends at",
        "job 99999": "This run has no record of job 99999.",
        f"job {never} end": f"Job {never} never completed in this run.",
        f"job {unseen} start": f"Job {unseen} never ran in this run.",
    }.items():
        jump.fill(text)
        jump.press("Enter")
        expect(page.locator("#shell-toast")).to_contain_text(sentence)
    expect_record(page, end)
