"""Why a file is no episode, in a producer's words: the problem, then the mend.

The French sentences stand in podcast_app/locale/fr/probe.po, under the English ones.
"""

EMPTY = "This file is empty. Export the episode again from your editor and choose the new file."
TOO_SHORT = "This file is too short to hold any sound. Export the episode again and choose the new file."
SILENT = "There is no sound in this file. Export the episode again and check that it plays before you send it."
CUT_OFF = "The end of this file is missing, and it cannot be played without it. Copy or export the whole file again."
DAMAGED = (
    "This looks like {kind}, but it cannot be read: the file may be damaged. "
    "Export the episode again and check that it plays before you send it."
)
PROTECTED = "This file is protected against copying, so listeners could not play it. Choose an unprotected file."
VIDEO_ONLY = "This is a video without sound. Choose the audio file, or a video that has a sound track."
VIDEO = "This is a video file ({kind}), which cannot be read here. Export its sound as MP3 or M4A and choose that file."
OTHER_AUDIO = (
    "This is a sound file of a kind that cannot be used here ({kind}). "
    "Export the episode as MP3, M4A, WAV, AIFF, FLAC or Ogg and choose that file."
)
OPEN_BITRATE = (
    "This is an MP3 of a bitrate that hardly any player knows (free format). "
    "Export it again with an ordinary one, such as 128 kbit/s, and choose the new file."
)
TEXT = "This is a text file, not a recording. Choose the audio file of the episode."
WEB_PAGE = "This is a web page, not a recording: a download may have failed. Choose the audio file itself."
PDF = "This is a PDF document, not a recording. Choose the audio file of the episode."
PICTURE = "This is a picture, not a recording. Choose the audio file here; the cover has its own place."
ARCHIVE = (
    "This is a compressed folder or an office document, not a recording. "
    "Unpack it if the audio is inside, and choose the audio file."
)
OFFICE = "This is an office document, not a recording. Choose the audio file of the episode."
PLAYLIST = "This is a playlist: it names recordings but holds none. Choose the audio file itself."
UNKNOWN = (
    "This is not a sound file of a kind that can be used here. "
    "Export the episode as MP3, M4A, WAV, AIFF, FLAC or Ogg and choose that file."
)
