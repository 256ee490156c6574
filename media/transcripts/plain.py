"""Plain text: what has no times is kept as it is."""

from media.transcripts import layout
from media.transcripts.transcript import Transcript


def read(text: str) -> Transcript:
    return Transcript(text=text.strip())


def write(transcript: Transcript, _language: str) -> bytes:
    """A paragraph for each turn of a speaker, whose name stands before it."""
    if not transcript.is_timed:
        return f"{transcript.text}\n".encode()
    paragraphs = [
        f"{turn.speaker}: {turn.text}" if turn.speaker else turn.text for turn in layout.paragraphs(transcript)
    ]
    return ("\n\n".join(paragraphs) + "\n").encode()
