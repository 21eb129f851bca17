"""One line of a file of anchors: a prompt, its two answers, and what people said.

    {"prompt": "How much?", "a": "12.", "b": "About 12.", "labels": [
        {"annotator": "ann", "winner": "A"}, {"annotator": "bob", "winner": "A"}]}
    {"messages": [{"role": "user", "content": "How much?"}], "a": "12.", "b": "13.", "winner": "B"}

LMArena's rows are read as they are:

    {"question_id": "1", "model_a": "x", "model_b": "y", "winner": "model_a", "judge": "user 7",
     "conversation_a": [{"role": "user", …}, {"role": "assistant", …}], "conversation_b": […]}
"""

from typing import Annotated, Literal

from pydantic import AliasChoices, AwareDatetime, ConfigDict, Field

from schemas.records import HumanWinner, LabelRole, Message, Passage, Record

_ARENA_WINNERS = {
    "model_a": HumanWinner.A,
    "model_b": HumanWinner.B,
    "tie": HumanWinner.TIE,
    "tie (bothbad)": HumanWinner.BOTH_BAD,
    "both_bad": HumanWinner.BOTH_BAD,
}
Text = Annotated[str, Field(min_length=1)]


class LabelRow(Record):
    """What one person said; without ``at``, at the file's modification time."""

    annotator: Text
    winner: HumanWinner
    role: Literal[LabelRole.LABEL, LabelRole.ADJUDICATION] = LabelRole.LABEL
    criteria: tuple[str, ...] = ()
    comment: str | None = None
    at: AwareDatetime | None = None


class AnchorRow(Record):
    """``winner`` is one person's verdict, or the adjudicated one if the importer says so."""

    prompt: Text | None = None
    messages: tuple[Message, ...] | None = None
    a: Text
    b: Text
    model_a: Text = "unknown"
    model_b: Text = "unknown"
    slice: Text = "default"
    context: tuple[Passage, ...] = ()
    winner: HumanWinner | None = None
    labels: tuple[LabelRow, ...] = ()
    annotator: Text = "import"
    """Whose verdict ``winner`` is."""
    id: str | None = None
    """Kept for the reader of the file; the texts decide what the anchor is."""

    def chat(self) -> tuple[Message, ...]:
        """The prompt as messages; raises ValueError unless exactly one form is given."""
        if (self.prompt is None) is (self.messages is None):
            raise ValueError("a row needs either prompt or messages")
        found = self.messages or (Message(role="user", content=self.prompt or ""),)
        return tuple(found)

    def said(self, *, adjudicated: bool) -> tuple[LabelRow, ...]:
        """All labels of the row, ``winner`` among them."""
        if self.winner is None:
            return self.labels
        role = LabelRole.ADJUDICATION if adjudicated else LabelRole.LABEL
        return (*self.labels, LabelRow(annotator=self.annotator, winner=self.winner, role=role))


class ArenaRow(Record):
    """A vote of LMArena; fields that say nothing about the comparison are left alone."""

    model_config = ConfigDict(extra="ignore")

    model_a: Text
    model_b: Text
    winner: str
    conversation_a: tuple[Message, ...] = Field(min_length=2)
    conversation_b: tuple[Message, ...] = Field(min_length=2)
    judge: Text = "arena"
    language: Text = "default"
    id: str | None = Field(
        default=None, validation_alias=AliasChoices("question_id", "id"), coerce_numbers_to_str=True
    )

    def row(self) -> AnchorRow:
        """As one of ours: the language is the slice, the voter the annotator.

        Raises ValueError where the two conversations are of different prompts or the winner is
        none of LMArena's words.
        """
        if self.winner not in _ARENA_WINNERS:
            raise ValueError(
                f"winner {self.winner!r} is none of {', '.join(map(repr, _ARENA_WINNERS))}"
            )
        prompt, last_a = self.conversation_a[:-1], self.conversation_a[-1]
        last_b = self.conversation_b[-1]
        if prompt != self.conversation_b[:-1]:
            raise ValueError(
                "the conversations part before their last answers, so there is no one prompt; "
                "keep rows of one turn"
            )
        if {last_a.role, last_b.role} != {"assistant"}:
            raise ValueError("a conversation must end with the assistant's answer")
        return AnchorRow(
            messages=prompt,
            a=last_a.content,
            b=last_b.content,
            model_a=self.model_a,
            model_b=self.model_b,
            slice=self.language,
            winner=_ARENA_WINNERS[self.winner],
            annotator=self.judge,
            id=self.id,
        )
