"""Is what a model says what the tools said? Pure; its words stand in ``prompts/sentences``, ``states.yaml``.

Facts come from tools, never from the model. Where a model may put several results into a sentence of its own, that
sentence is read the way the tools' sentences are read, as clauses of names, states, numbers and negations, and every
clause has to be found, as a whole, in one clause of one result. A word that the check does not know counts as a fact.
When in doubt it refuses: the tools' own sentences are spoken then.
"""

from assistant.truth.check import left_out, unsupported
from assistant.truth.clauses import sentences_of
from assistant.truth.evidence import Evidence
from assistant.truth.smalltalk import states_nothing

__all__ = ["Evidence", "left_out", "sentences_of", "states_nothing", "unsupported"]
