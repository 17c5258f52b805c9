"""What would be seen, from a candidate model that is shown the same: the other half of a score of prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from methods.models._candidates import NEEDS, beside
from methods.models.most_disputed import Fitted, bins_of, in_a_row
from simlab.contracts import BudgetExceeded, Finding, Needs, Rig, SimlabError
from simlab.data import is_spiking
from simlab.rules import check_fields


@dataclass(frozen=True)
class ModelForetelling:
    """One candidate's features are fitted to the units in the natural task, and asked what they do next.

    The whole budget records the task in four trials or more; ridge regression makes the units of the features of
    `candidate` (all candidates together, where it is empty); the rig tells what that one does when it is shown the
    unseen stimuli, one after another. As in a score of models by prediction, the readout is fitted and the model is
    not. Cost: seconds of computing, the budget.
    """

    name: ClassVar[str] = "model_foretelling"
    question: ClassVar[str] = "prediction"
    family: ClassVar[str] = "prediction by models"
    library: ClassVar[str] = "own"
    needs: ClassVar[Needs] = NEEDS

    candidate: str = ""

    def __post_init__(self) -> None:
        check_fields(self)

    def investigate(self, rig: Rig, rng: np.random.Generator) -> Finding:
        """The response to each presentation of the brief."""
        brief, left = rig.brief, rig.remaining
        names, unseen = tuple(brief.get("candidates", ())), np.array(brief.get("unseen", ()), dtype=float)
        if not names or unseen.ndim != 2:
            return Finding.abstain("the brief has no candidate models, or no stimuli that could be predicted")
        if self.candidate and self.candidate not in names:
            return Finding.abstain(f"no candidate is called {self.candidate!r}; there are {', '.join(names)}")
        trials = int(min(left.trials, 1000))
        if trials < 4 or left.seconds < NEEDS.seconds:
            return Finding.abstain(f"it takes 4 trials and {NEEDS.seconds:g} s, which are not left")
        try:
            session = rig.session(trials=trials, duration=min(left.seconds / trials, 60.0))
            recorded = rig.record(session).assign_attrs(brief=dict(brief))
            found = beside(recorded)
            if isinstance(found, Finding):
                return found
            if session.stimulus is None or len(session.stimulus.features) != unseen.shape[1]:
                return Finding.abstain("the task shows other features than the stimuli that are to be predicted")
            told = rig.foretell(in_a_row(session, unseen))
        except BudgetExceeded:
            raise
        except SimlabError as refusal:
            return Finding.abstain(f"the rig does not show what is asked for: {refusal}")
        owner, response = told["model"].values, told["model_response"].values[0].astype(float)
        response = response[bins_of(len(unseen), len(response))]
        chosen = [k for k, name in enumerate(names) if self.candidate in ("", name) and found.models[k] is not None]
        if not chosen:
            return Finding.abstain("the candidate does not see what was shown")
        together = np.concatenate([found.models[k] for k in chosen], axis=1)  # type: ignore[misc]
        features = np.concatenate([response[:, owner == k] for k in chosen], axis=1)
        said = Fitted.to(found._replace(models=(together,))).said(features, 0)
        if said is None:
            return Finding.abstain("the candidate does the same whatever is shown")
        rates = np.zeros((len(unseen), len(found.varied)))
        spiking = is_spiking(recorded)
        rates[:, found.varied] = np.maximum(said, 0.0) / found.step if spiking else said
        return Finding({"response": rates})
