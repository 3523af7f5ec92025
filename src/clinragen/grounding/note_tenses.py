"""Words that tell when: what is over, goes on, is awaited, done, stopped, or hangs on a condition."""

import re

PAST_TENSE = re.compile(
    r"\b(?:had|(?:was|were)(?! (?:documented|noted|reported|recorded|mentioned|described|listed))|did|ago|"
    r"history|prior|previous(?:ly)?|(?:once|twice|times|ever) before|before(?=\W*$)|occasions?|"
    r"former(?:ly)?|past|underwent|received|once|earlier|remote|resolved|"
    r"stopped|held|used to)\b",
    re.I,
)
CURRENT = re.compile(
    r"\b(?:continu\w+|current\w*|still|now|ongoing|running|remains?|resumed|restarted|active\w*|"
    r"is being|are being|left in place|kept|keeps|went on|carried on|maintained|persist\w*|"
    r"these days|present(?!ed|ly)|on it)\b",
    re.I,
)
YEAR = re.compile(r"\b(?:19|2[0-3])\d\d\b")
CONDITION = re.compile(
    r"\b(?:if|unless|in case|in the event|consider(?:ing|ed)?|would|standby|reserved?|threshold|depend\w*|"
    r"when needed|as needed|should (?:he|she|it|the|\w+ (?:fail|rise|fall|worsen|recur)))\b",
    re.I,
)
SAYS_CONDITION = re.compile(
    r"\b(?:if|unless|should|only|hing\w+|depend\w*|in case|in the event|reserved?|standby|kept|would|"
    r"threshold|consider\w*|discuss\w*|possibl\w+|may|might|saved|await\w*|until|contingent|"
    r"conditional)\b",
    re.I,
)
LASTING = re.compile(
    r"\b(?:COPD|emphysema|asthma|T[12]?DM\w*|DM\d?|I?DDM|diabet\w+|HTN|(?:pulmonary )?hypertensi\w+|CHF|"
    r"HF\w{0,4}|heart failure|cardiomyopathy|CAD|coronary (?:artery )?disease|isch[a]?emic heart disease|PVD|"
    r"PAD|CKD\w*|ESRD|(?:kidney|renal) (?:disease|insufficiency)|cirrhosis|epilepsy|dementia|alzheimer\w*|"
    r"parkinson\w*|multiple sclerosis|lupus|SLE|rheumatoid|hypothyroid\w*|hyperlipid\w+|HLD|dyslipid\w+|"
    r"obes\w+|sleep apn\w+|OSA|HIV|schizophren\w+|bipolar|osteopor\w+|glaucoma|sickle\w*|h[a]?emophilia|"
    r"cystic fibrosis|valve disease|aortic stenosis|BPH|GERD|fibromyalgia)\b",
    re.I,
)
"""Illnesses that a history holds and the patient still has."""
ENDED = re.compile(
    r"\b(?:former\w*|resolved|cured|outgr\w+|remission|as a child|childhood|gestational|ago|until|reversed|"
    r"no longer|previous\w*|prior)\b",
    re.I,
)
RESULT = re.compile(
    r"\b(?:excluded|ruled out|negative|sterile|clear|normal|(?:came|come|is|are) back|return\w*|resulted|"
    r"show\w*|found|find\w*|reveal\w*|demonstrat\w*|grew|grow\w*|yield\w*|detect\w*|isolat\w*|"
    r"identif\w*|confirm\w*|prov\w+|tested|did not (?:show|find|grow))\b",
    re.I,
)
DONE = re.compile(
    r"(?<!be )(?<!not )\b(?:done|completed|finished|started|begun|placed|performed|"
    r"given(?= (?:today|tonight|at|in|this|on|via)))\b"
    r"(?! (?:if|when|once|unless|tomorrow|tmrw|next))",
    re.I,
)
STOPPED = re.compile(
    r"\b(?:held|withheld|stopped|paused|suspended|discontinued|on hold|off|omitted|dropped|interrupted)\b",
    re.I,
)
OFF = re.compile(r"[^,;.]*,? (?:now )?off (?:since|at|by|from|this|yesterday|overnight)\b", re.I)
NEVER = re.compile(r"\b(?:never|no (?:history|prior|previous|past|earlier))\b", re.I)
NOT_BACK = re.compile(
    r"\bnot (?:yet )?(?:\w+ )?(?:back|returned|resulted|available|identified|known|reported|final\w*)\b", re.I
)
