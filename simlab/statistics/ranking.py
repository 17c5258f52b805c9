"""The ranking of a question's methods, like with like: over the settings that all of those compared have met.

An experiment is seldom a full cross: calcium pipelines meet one instrument only, pulses are swept for one method.
Rates over different circuits, plans, instruments or subjects rank the grid, not the methods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simlab.statistics.grouping import groups
from simlab.statistics.matching import settings_of, with_settings
from simlab.statistics.summaries import summarise
from simlab.statistics.verdicts import stand_in

if TYPE_CHECKING:
    import pandas as pd

BY = ("question", "method", "method_label", "kind")
FULL = "one pulse per trial"

ALONE = 1e-9
"""What a method that is compared with nobody counts: less than any comparison, more than nothing."""


def leaderboard(table: pd.DataFrame) -> pd.DataFrame:
    """Each question's methods and baselines, the best first: `summarise`'s columns, `league` and `n_left_out`.

    One row per method, in leagues: the methods of one league are compared over the settings (role, circuit, plan,
    instrument, subject) that all of them met, so that their rates are of like cells. League 1 is the one in which
    most can be compared; methods that met too little of its settings follow in leagues of their own, whose rates
    must not be compared with those of another. n_left_out: cells of the method outside its league's settings. Of an
    active method's stimulators and budgets of pulses, those that met most settings count. To rank all methods over
    fewer settings, pass those cells alone.

    Order within a league: by `separation` (recovery minus false recovery, abstentions as 0; where a question has no
    rivals, the share of all cells that was recovered; where all rival cells failed, as if each had been fooled), then
    recovery, then value. Whoever is fooled by every rival comes after all others, whatever it recovers.
    """
    import pandas as pd

    boards = [_question(cells) for _, cells in table.groupby("question", sort=True)]
    if not boards:
        return summarise(table, BY)
    return pd.concat(boards, ignore_index=True)


def _question(cells: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    ceilings, cells = (cells[(cells["role"] == "ceiling") == wanted] for wanted in (True, False))
    kept = _one_hand(cells)
    everywhere = cells.groupby("method_label").size()
    boards = []
    for number, (members, settings) in enumerate(leagues(kept), start=1):
        league = kept[kept["_setting"].isin(settings)].drop(columns="_setting")
        board = summarise(pd.concat([league, ceilings]) if len(ceilings) else league, BY)
        board = board[board["method_label"].isin(members)]
        counts = board["method_label"].map(everywhere) - board["n"] - board["n_rival"]
        boards.append(_ranked(board.assign(league=number, n_left_out=counts)))
    return pd.concat(boards) if boards else summarise(cells, BY)


def leagues(cells: pd.DataFrame) -> list[tuple[list[str], set[tuple]]]:
    """Who is compared with whom, and over which settings: (method labels, settings) of each league.

    cells: of one question, with their `_setting`. A league is made as large as pays: methods are dropped one by one,
    each time the one whose absence opens most settings to the others, and the league with the largest number of
    like-with-like comparisons (pairs of methods x settings) is kept. Baselines join the first league all of whose
    settings they met; they do not decide what a league is.
    """
    met = {label: set(group["_setting"]) for label, group in cells.groupby("method_label", sort=True)}
    stand_ins = set(cells.loc[stand_in(cells), "method_label"])
    found: list[tuple[list[str], set[tuple]]] = []
    for waiting in (sorted(set(met) - stand_ins), sorted(stand_ins)):
        if waiting and set(waiting) <= stand_ins:
            for label in list(waiting):
                if home := next((members for members, shared in found if shared <= met[label]), None):
                    home.append(label)
                    waiting.remove(label)
        while waiting:
            members = _largest({label: met[label] for label in waiting})
            found.append((members, set.intersection(*(met[label] for label in members))))
            waiting = [label for label in waiting if label not in members]
    return found


def _largest(met: dict[str, set[tuple]]) -> list[str]:
    labels = list(met)
    settings = {setting: i for i, setting in enumerate(dict.fromkeys(s for own in met.values() for s in own))}
    was_met = np.zeros((len(labels), len(settings)), dtype=bool)
    for row, own in zip(was_met, met.values(), strict=True):
        row[[settings[setting] for setting in own]] = True
    alive, best, most = np.arange(len(labels)), np.arange(len(labels)), 0.0
    while len(alive):
        k, met_by = len(alive), was_met[alive].sum(axis=0)
        comparisons = (met_by == k).sum() * (k * (k - 1) / 2 if k > 1 else ALONE)
        if comparisons > most:
            best, most = alive, comparisons
        opened = ((met_by - was_met[alive]) == k - 1).sum(axis=1)
        alive = np.delete(alive, np.lexsort((was_met[alive].sum(axis=1), -opened))[0])
    return [labels[i] for i in best]


def _one_hand(cells: pd.DataFrame) -> pd.DataFrame:
    """Of each method's stimulators and budgets of pulses, the cells of those that met most settings; `_setting` added.

    The cells of a method stand together, in the order of the methods' first cells.
    """
    cells = with_settings(cells)
    settings = settings_of(cells)
    hands = list(zip(cells["stimulator_label"], cells["pulses"], cells["interventions"], strict=True))
    kept: list[int] = []
    for _, own in groups(cells, ["method_label"], sort=False):
        met: dict[tuple[str, str, str], set[tuple]] = {}
        for i in own:
            met.setdefault(hands[i], set()).add(settings[i])
        widest = max(met, key=lambda hand: (len(met[hand]), hand[1] == FULL, not hand[2]))  # ties: the first
        kept += [i for i in own if hands[i] == widest]
    return cells.iloc[kept].assign(_setting=[settings[i] for i in kept])


def _ranked(board: pd.DataFrame) -> pd.DataFrame:
    answers, abstentions = board["n_answers"], board["abstention"].fillna(0.0) * board["n"]
    share = board["recovery"].fillna(0.0) * answers / (answers + abstentions).where(lambda n: n > 0)
    merit = board["separation"].where(board["separation"].notna(), share - (board["n_rival"] > 0))
    ranked = board.assign(_merit=merit, _fooled=board["false_recovery"] == 1)
    order = ["_fooled", "_merit", "recovery", "value", "method_label"]
    ranked = ranked.sort_values(order, ascending=[True, False, False, False, True])
    return ranked.drop(columns=["_merit", "_fooled"])
