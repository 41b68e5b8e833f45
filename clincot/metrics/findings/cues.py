"""The words about a finding -> the cues that deny it, doubt it, explain it or call it history (regular expressions).

Cues after NegEx (Chapman et al. 2001) and the uncertainty rules of Irvin et al. 2019, widened on reports and on
sentences made for this project. Gaps between the words of a cue are short, so matching stays linear in the text.
"""

from __future__ import annotations

import re

SIDES = r"left|right|bilateral|bibasilar|bibasal|biapical|basilar|retrocardiac"
SIZES = (
    r"there|interval (?:increase|development|worsening|enlargement|decrease)|"
    r"an? |small|tiny|trace|minimal|mild|moderate|severe|new|stable|persistent|unchanged|increas\w+|"
    r"worsening|"
    rf"likely|possibl[ey]|probabl[ey]|suspected|(?:large|big|old|healed|scattered|multiple|patchy|"
    rf"subtle) (?:{SIDES})|{SIDES}"
)
FINITE = re.compile(
    r"\b(?:is|are|was|were|has|have|had|shows?|demonstrates?|reveals?|remains?|persists?|appears?|contains?|ends|"
    r"terminates|projects|lies|overlies|measures|suggests?|represents?|indicates?|continues?|obscures?|may|"
    r"could|can|"
    r"might|must|does|do|present|again (?:noted|seen))\b"
)
HARD = re.compile(
    r"\b(?:but|however|although|though|except|apart from|aside from|other than|yet|while|whereas|which|"
    r"nevertheless|"
    r"(?<!if )(?<!whether )there (?:is|are|has been|have been|remains)|instead (?!of))\b"
)
NEW_SUBJECT = re.compile(
    rf"(?:and |with )?(?:(?:{SIZES})\b|(?:the|this|these|it|heart|cardiac|cardiomegaly|"
    rf"lungs?)\b)"
)
SIZED = re.compile(rf"(?:and |with )?(?:{SIZES})\b")
OR = re.compile(r"\b(?:or|nor)\b")
# "No acute, displaced fracture": a comma between adjectives.
BARE = re.compile(
    r"\b(?:no|any|without|an?|new|of|definite)(?: (?:acute|new|large|focal|displaced|definite|discrete|obvious|"
    r"overt|gross|frank|significant|"
    r"suspicious|visible|dense|small|confluent|lobar|measurable|sizable|active|confluent|depressed|patchy|"
    r"airspace))+$"
)
SOFT_END = re.compile(
    r"\b(?:but|however|although|though|while|whereas|persists?|remains?|unchanged|stable|with|without|"
    r"there (?:is|are))\b"
)
ASIDE = re.compile(r", (?:which|previously|seen|noted|described|present on|as)\b[^,]{0,70},")
GAP = (
    r"(?: (?:significant\w*|interval|appreciable|appreciably|definite\w*|substantial\w*|major|further|evidence|"
    r"to|suggest|"
    r"indicate|of|for|any|real|clear|obvious|gross\w*|convincing|marked\w*|apparent|overall|short|term|the|"
    r"complete\w*|"
    r"been|yet|fully|radiographic|signs?|acute|large|much|great|dramatic\w*|material\w*|really|since|relevant|"
    r"meaningful|entirely|clinically|visible|noticeable|been)){0,6}?"
)
# "No change in the effusion" and "has not resolved" assert the effusion.
NO_CHANGE = re.compile(
    rf"\b(?:no|without|not|n t|never|nor|lack of|absence of){GAP} (?:change[sd]?|different|difference|"
    rf"increase[sd]?|decrease[sd]?|"
    r"improved|improvement|improving|worse\w*|progress\w*|resolution|resolv\w+|clear(?:ed|ing)|larger|smaller|"
    r"regress\w*|"
    r"reduc\w+|diminish\w*|enlargement|growth|(?:well|fully|optimally|adequately|completely) \w+|as \w+)\b|"
    r"\bnot only\b|"
    r"\b(?:near(?:ly)?|almost|partial(?:ly)?|incomplete(?:ly)?|mostly|largely|substantially)(?: complete(?:ly)?)? "
    r"(?:resol\w+|clear(?:ed|ing)|disappear\w+)|"
    r"\bnot(?: previously| clearly)? (?:seen|present|noted|visuali[sz]ed|identified|apparent|evident|visible)"
    r"(?: previously| before|(?: on| in| at)(?: the| a)? (?:prior|previous|earlier|old|recent|last|comparison))|"
    r"\bnot previously(?: \w+)?\b|\b(?:ensure|document|confirm|assess|until|verify|follow to)(?: \w+){0,2} "
    r"(?:resolution|clearing)(?: of)?|\b(?:no|not|without) longer (?=large|increas)"
)
OPEN_QUESTION = re.compile(
    r"\b(?:cannot|can ?not|can t|could not|unable to|not|difficult to|hard to|impossible to)(?: \w+){0,3}? "
    r"(?:exclude|rule)\w*(?: out)?\b|"
    r"\b(?:(?:to )?(?:rule out|exclude(?!d|s))|evaluation (?:for|of)|(?:signs|symptoms) of|questions?(?: of|"
    r" whether)?|query|whether|"
    r"(?:can t|cannot|can ?not|unable to|difficult to|hard to) (?:tell|say|determine|know|confirm))\b"
)
SIGNS_DENIED = re.compile(r"\b(?:no|without|absent)(?: \w+){0,3} (?:signs|symptoms|question) of\b")
DENIED_BEFORE = re.compile(
    r"\b(?:no|not|without|never|neither|nor|none|absen(?:t|ce of)|free (?:of|from)|negative for|clear of|"
    r"lack of|lacks?|"
    r"devoid of|(?:resolution|clearing|removal) of|resolved(?! and)|cleared|exclud(?:es|ing)|rather than|"
    r"instead of|denies|"
    r"as opposed to|unlikely(?: to)?|(?:does|do|did|is|are|was|were|has|have)n t|mimic\w*|simulat\w*|"
    r"mistaken for|masquerad\w+|removed|ruled out|"
    r"(?:cannot|can t|couldn t|unable to) (?:see|identify|find|detect|visuali[sz]e|appreciate|demonstrate|"
    r"discern))\b"
)
# "No pneumothorax after biopsy of the nodule" denies what is before `after` alone.
DENIED_UP_TO = re.compile(r"(?<=\w) (?:after|following|despite|adjacent to|surrounding|in spite of)\b")
# "No evidence that it has resolved" and "neither has changed" assert what they are about.
NOT_THAT = re.compile(r"\b(?:no evidence|not|no indication)(?: \w+)? that\b")
CHANGED = re.compile(
    r"^(?: \w+)? (?:has|have) (?:\w+ )?(?:changed|improved|increased|decreased|resolved|cleared|progressed|"
    r"enlarged|grown)\b"
)
SEEN = (
    r"(?:seen|identified|present|visuali[sz]ed|visible|evident|demonstrated|detected|appreciated|noted|apparent|"
    r"found|"
    r"observed|suspected|suggested|confirmed|there|any|likely|shown|recogni[sz]ed|discernible|established|"
    r"supported|"
    r"enlarged|widened|increased|favou?red|delineated|a (?:concern|consideration)|discerned)"
)
VERB = (
    r"(?:is|are|was|were|has|have|had|been|now|all|both|appears?|completely|entirely|fully|essentially|since|"
    r"interval|"
    r"intervally|already|subsequently|also|very|highly|considered|felt to be|thought to be|most)"
)
DENIED_AFTER = re.compile(
    rf"\bnot(?: \w+){{0,2}}? {SEEN}\b|\bno longer\b|\bnone\b|^ (?:\w+ )?removal\b|"
    rf"(?:^(?: \w+ly)?|\b{VERB}) (?:resolved|cleared|absent|negative|excluded|ruled out|unlikely|removed|"
    rf"disappeared|gone|"
    r"withdrawn|pulled|discontinued|nil|normal|within normal|unremarkable)\b|\bresolved$|\babsent$"
)
DENIED_NEXT = re.compile(
    r" (?:(?:now|is|are|has|have|was|were|been) )*(?:none|no|absent|negative|nil|resolved|unlikely|no longer \w+|"
    rf"(?:not|none)(?: \w+)? {SEEN})(?: (?:now|today|currently))?"
)
DOUBTED_BEFORE = re.compile(
    r"\b(?:possib\w+|probabl\w+|potential\w*|may|might|could|can represent|suspicio(?:n|us) (?:of|for)|suspicion|"
    r"suspect\w*|concern(?:s|ing|ed)? (?:for|of|about|regarding)|worry for|question\w*|equivocal|suggest\w*|"
    r"worrisome for|"
    r"likely|borderline|versus|vs|differential|perhaps|presum\w+|consider(?:ations?|ed)?|favou?r\w*|"
    r"indeterminate for|"
    r"raises?|uncertain|conceivabl[ey]|doubt(?:ful)?)\b"
)
DOUBTED_AFTER = re.compile(
    r"^(?: \w+){0,2} (?:possible|suspected|questioned|questionable|versus|vs|equivocal|"
    r"uncertain)\b(?! (?:origin|etiology|aetiology|significance|nature|cause|age|chronicity))|"
    r"\b(?:is|are|was|were|be|remains?|also|as)"
    r"(?: \w+)? (?:likely(?= (?:given|in|on|at|present|because|and|here|based)\b|$)|"
    r"possible|possib\w+|suspected|questioned|"
    r"questionable|"
    r"uncertain|equivocal|indeterminate|consider\w+|probable|favou?red|borderline|"
    r"in(?: the)?(?: \w+)? differential|"
    r"on the differential|a concern|of concern|suggested|raised|difficult to \w+|hard to \w+|doubtful|presumed)\b|"
    r"\b(?:not|cannot be|can ?not be|can t be|could not be|difficult to be|difficult to|hard to|"
    r"never)(?: \w+){0,2} "
    r"(?:excluded?|ruled? out)\b|"
    r"\b(?:may|might|could)(?: also| well| still| not)? (?:be|have|exist)(?: \w+)? (?:present|there|developing|"
    r"superimposed|"
    r"contributing|considered|possible|a consideration|responsible|suspected)\b|\b(?:in|on) the differential\b|"
    r"\b(?:may|might|could)(?: also)? (?:have|give|produce) (?:an?|this|the)(?: \w+)? appearance\b|"
    r"\b(?:should|must|needs? to|to) be (?:considered|excluded|ruled out)\b|\bmay coexist\b"
)
DOUBTED_NEXT = re.compile(
    r" (?:is )?(?:possibl[ey]|questionable|suspected|not excluded|cannot be (?:\w+ )?excluded|if any|questioned)"
)
JOINED = re.compile(r"\b(?:consistent|compatible|in keeping|associated|seen|correlat\w+) with\b")
BORDERLINE = re.compile(r"\b(?:upper|high|top)(?: limits? of)? normal\b|\bborderline\b")
NOT_A_MENTION = re.compile(r"\b(?:status post|history of|hx of)(?: (?!with|and|now|there|show)\w+){0,3} $")
PAST_INFECTION = re.compile(r"\b(?:prior|previous|old|remote|healed|treated|granulomatous)(?: \w+){0,2} $")
HARMLESS = (
    r"(?:nipples?|skin ?folds?|(?:calcified |old |healed )*granuloma\w*|artifact\w*|artefact\w*|summation|"
    r"superimpos\w+|"
    r"breast(?: tissue| shadow\w*)?|overlying (?:breast|soft|structures?|shadows?|tissues?|ekg|ecg|leads?|"
    r"buttons?|vessels?|"
    r"clothing|bones?|ribs?)|soft tissues?|costochondral|bone islands?|clothing|hair|vessels? (?:seen )?(?:on|"
    r"end)|ekg|"
    r"ecg|epicardial fat|fat pad|pericardial fat|overlap\w*|calcified lymph|button|external|patient motion|"
    r"hiatal|herni\w+|osteophyt\w*)"
)
EXPLAINED = re.compile(
    r"(?P<between>(?:,? \w+){0,8}?,? (?P<why>consistent with|compatible with|represent\w*|due to|secondary to|"
    r"related to|"
    r"caused by|is|are|reflect\w*|from|likely|attribut\w+ to|correspond\w* to|in keeping with|favou?r\w* to be)"
    rf"(?: (?:an?|the|old|overlying|a benign|benign|likely|left|right|most|prominent|known|normal|prior|be|"
    rf"to)){{0,4}}) {HARMLESS}\b"
)
# Removed before anything is read: what the patient had, what the image was asked for, what an older image showed.
HISTORY = re.compile(
    r"\b(?:known |past |prior |remote |previous |clinical |family )*(?:medical )?(?:history|hx) (?:of|"
    r"significant for)"
    r"(?: (?!now\b|presents?\b|presenting\b|with\b|is\b|are\b|who\b|here\b|there\b|but\b|today\b|no\b)\w+){1,12}|"
    r"\b(?:please |to |for |in order to )?(?:evaluate|assess|eval|look|check|looking|monitor) for"
    r"(?: (?!with\b|is\b|are\b|but\b|which\b)\w+){1,8}|"
    r"\b(?:status post|post)(?: \w+){0,3} (?:resection|excision|lobectomy|biopsy|ablation|treatment|repair|"
    r"drainage|"
    r"evacuation|decortication|radiation|fixation)(?: (?:of|for)(?: (?!with\b|now\b|and\b|is\b)\w+){1,6})?|"
    r"\b(?:prior|previous|comparison|outside|earlier) (?:study|exam\w*|film|radiograph|image|x ray|"
    r"ct)(?: \w+){0,3} "
    r"(?:showed|showing|demonstrated|demonstrating|revealed)[^,]{0,80}"
)
REQUEST = re.compile(
    r"(?:this is |the |a |an |this )*(?:patient|pt|\d{1,3} ?(?:y|f|m|yo|year|years|yr)\w?\b(?: old)?(?: \w+)?|"
    r"(?:man|woman|male|"
    r"female)) (?:with|presenting|presents|who|has (?:a )?(?:known )?history|being|is being|referred)\b|"
    r"(?:patient |pt |known |past )*(?:medical )?history of [\w ]+,[\w ,]*$|"
    r"(?:please )?(?:evaluate|assess|eval|query|check|referred|requested|ordered)\b"
)
