"""What a user would write instead, each in its tool's fastest exact form; all take and give the same columns."""
