"""Shared pieces of pages: header, panel, labelled control, CSV link, empty state. Text in, components out."""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from gavel_dash.figures.theme import GRAPH_CONFIG

Children = Any  # what Dash accepts as children: a component, a string, or a list of them


def page_header(title: str, sentence: str, actions: Children = None) -> Component:
    """Page title, the one sentence of what the page answers, and the page's actions at the right."""
    return html.Header(
        [
            html.Div([html.H1(title, className="gd-title"), html.P(sentence, className="gd-sentence")]),
            html.Div(actions, className="gd-actions"),
        ],
        className="gd-header",
    )


def panel(children: Children, title: Children = None, actions: Children = None, **properties: Any) -> Component:
    """A bordered box, with a heading and actions where given. `properties` go to the section element."""
    class_name = " ".join(filter(None, ["gd-panel", properties.pop("className", None)]))
    head = []
    if title is not None:
        head = [
            html.Div(
                [html.H2(title, className="gd-panel-title"), html.Div(actions, className="gd-actions")],
                className="gd-panel-head",
            )
        ]
    body = children if isinstance(children, list) else [children]
    return html.Section([*head, *body], className=class_name, **properties)


def labelled(label: str, control: Component, hint: str | None = None, inline: bool = False) -> Component:
    """A control with its visible label, tied to it by id; `hint` is the tooltip."""
    class_name = "gd-labelled gd-labelled-inline" if inline else "gd-labelled"
    properties = {"title": hint} if hint else {}
    return html.Div(
        [html.Label(label, htmlFor=getattr(control, "id", None), className="gd-label"), control],
        className=class_name,
        **properties,
    )


def grouped(label: str, control: Component, **properties: Any) -> Component:
    """A label beside a group of choices, which a `<label>` cannot name; the group has it as its accessible name."""
    return html.Div(
        [html.Span(label, className="gd-label", **{"aria-hidden": "true"}), control],
        className="gd-labelled gd-labelled-inline",
        role="group",
        **{"aria-label": label},
        **properties,
    )


def csv_link(id: str, href: str, label: str = "CSV", hint: str = "Download this table as CSV") -> Component:
    """A download link for a CSV route; callbacks may change its `href`."""
    return html.A(label, id=id, href=href, className="gd-button", title=hint, download="")


def picture_button(graph_id: str, image_format: str) -> Component:
    """A button that saves a graph as a picture, by assets/shell.js; `image_format` is "png" or "svg"."""
    properties = {"data-graph": graph_id, "data-format": image_format}
    hint = f"Save this chart as {image_format.upper()}"
    return html.Button(image_format.upper(), type="button", className="gd-button", title=hint, **properties)


def chart_panel(
    graph_id: str,
    title: str,
    csv_id: str | None = None,
    csv_href: str = "",
    height: str = "320px",
    controls: Children = None,
    hint: str | None = None,
    below: Children = None,
    **properties: Any,
) -> Component:
    """A panel with one chart, its numbers as CSV, itself as PNG and SVG.

    Parameters
    ----------
    graph_id, title : str
    csv_id, csv_href : str, optional
        Id and address of the CSV link; without an id there is none.
    height : str
        CSS height of the chart, fixed so that nothing jumps.
    controls : components, optional
        At the head, before the buttons.
    hint : str, optional
        Tooltip of the panel's title.
    below : components, optional
        Under the chart.
    **properties
        Properties of the panel.
    """
    actions = [controls] if controls is not None else []
    if csv_id is not None:
        actions.append(csv_link(csv_id, csv_href, hint="Download the numbers of this chart as CSV"))
    actions += [picture_button(graph_id, "png"), picture_button(graph_id, "svg")]
    # A double-click shows all; by default it would go back to the range that an address asked for.
    config = {**GRAPH_CONFIG, "displayModeBar": False, "doubleClick": "autosize"}
    graph = dcc.Graph(id=graph_id, config=config, style={"height": height})
    # The browser loads graphs late and without their style: until then the box knows the height.
    box = html.Div(graph, className="gd-chart", style={"--gd-height": height})
    heading = html.Span(title, title=hint) if hint else title
    return panel([box, *([below] if below is not None else [])], heading, actions, **properties)


def button(id: str, label: Children, hint: str, **properties: Any) -> Component:
    """A plain button with a tooltip that is also its accessible name where the label is a sign."""
    class_name = " ".join(filter(None, ["gd-button", properties.pop("className", None)]))
    aria = {} if isinstance(label, str) and len(label) > 2 else {"aria-label": hint}
    return html.Button(label, id=id, n_clicks=0, type="button", title=hint, className=class_name, **aria, **properties)


def empty_state(sentence: str, next_step: Children = None, **properties: Any) -> Component:
    """One sentence that says why there is nothing, and what to do about it."""
    return html.Div(
        [html.P(sentence, className="gd-empty-sentence"), html.Div(next_step, className="gd-empty-next")],
        className="gd-empty",
        role="status",
        **properties,
    )


def error_state(sentence: str) -> Component:
    """One sentence that says what failed, and a link that loads the page again."""
    return html.Div(
        [
            html.P(sentence, className="gd-empty-sentence"),
            # An empty address is the one that the page has.
            html.Div(html.A("Try again", href="", className="gd-button"), className="gd-empty-next"),
        ],
        className="gd-empty gd-error",
        role="alert",
    )


def tile(label: str, value: Children, detail: Children = None, **properties: Any) -> Component:
    """One number with its label; `detail` is the small line under it."""
    return html.Div(
        [
            html.Div(label, className="gd-tile-label"),
            html.Div(value, className="gd-tile-value"),
            html.Div(detail, className="gd-tile-detail"),
        ],
        className="gd-tile",
        **properties,
    )


def drawer(id: str, title: str, children: Children, **properties: Any) -> Component:
    """A panel that slides in from the right; closed until a callback sets `is_open`."""
    return dbc.Offcanvas(
        children, id=id, title=title, placement="end", backdrop=False, scrollable=True, is_open=False, **properties
    )
