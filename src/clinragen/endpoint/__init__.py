"""Ask any OpenAI-compatible endpoint; answers are kept in a ledger, patient text leaves only on purpose."""
