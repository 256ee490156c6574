"""What listeners' apps ask for again and again: feeds and audio, answered without the database."""
