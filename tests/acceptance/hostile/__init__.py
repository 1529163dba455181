"""Broken and hostile inputs, made by rule: every case writes one fund folder and says what may come of it."""
