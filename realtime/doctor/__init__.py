"""What keeps a piano and pianod from playing together: found by looking and by listening, told with what to do.

`machine` looks at the computer, `cable` sends through a port and waits, `keyboard` judges what a keyboard sent.
"""
