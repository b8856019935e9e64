package pipeline_test

const childVariable = "FLYTT_JOURNAL_CHILD"

func journalChild() int { return 0 }
