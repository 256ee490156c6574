"""Why a file is no transcript, in a producer's words: the problem, then the mend.

The French sentences stand in podcast_app/locale/fr/transcripts.po, under the English ones.
"""

TOO_LARGE = (
    "This file is larger than {limit} MB, far more than anybody says in an episode. "
    "Choose the transcript itself, as text."
)
TOO_MANY = (
    "This transcript has more than {limit} times, far more than anybody says in an episode. "
    "Export it again with a time for each sentence, not for each word."
)
EMPTY = "This file is empty. Export the transcript again and choose the new file."
OFFICE = (
    "This is an office document, not a transcript as text. "
    "Save it as plain text (.txt) in your word processor and choose that file."
)
PDF = (
    "This is a PDF document: its words stand in no order that can be relied on. "
    "Choose the text, VTT or SRT file that it was made from."
)
XML = (
    "This is an XML file of a kind that is not read here. Choose the transcript as VTT, SRT, JSON, HTML or plain text."
)
NOT_TEXT = "This is no text file. Choose the transcript as VTT, SRT, SBV, JSON, HTML or plain text."
NO_HEADER = (
    "Line 1: a VTT file begins with the word WEBVTT, and this one does not. "
    "Write WEBVTT into a first line of its own and leave the second one empty, or name the file .srt if it is one."
)
NO_TIMES = (
    "Line {line}: “{text}” stands where the first times were expected, and there are none in the whole file. "
    "Export it again with times, or name it .txt if it is a plain text."
)
TEXT_WITHOUT_TIME = (
    "Line {line}: “{text}” stands alone, without times. "
    "Put a line such as 00:01:02.500 --> 00:01:05.000 above the words, "
    "or delete the empty line before them if they belong to what precedes."
)
BAD_TIMES = (
    "Line {line}: “{text}” cannot be read as times. "
    "Write them as 00:01:02.500 --> 00:01:05.000 and choose the file again."
)
NO_SBV_TIMES = (
    "Line {line}: “{text}” stands where the times of the next words belong. "
    "Write them above the words, as 0:01:02.500,0:01:05.000, and choose the file again."
)
BAD_JSON = "Line {line}: this JSON is broken here or just before. Export the transcript again and choose the new file."
OTHER_JSON = (
    "This JSON is not built like a transcript: it needs “segments”, each with “startTime”, “endTime” and “body”. "
    "Choose such a file, or export the transcript as VTT or SRT."
)
BAD_SEGMENT = (
    "Line {line}: this segment needs a “startTime” and an “endTime” as numbers of seconds, and its words as “body”. "
    "Mend it and choose the file again."
)
