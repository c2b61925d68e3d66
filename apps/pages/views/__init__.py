"""The learners' pages: each view asks a selector or makes one service call, and renders."""
