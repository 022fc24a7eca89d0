# Passerelle, public pages, in English.

# Frame
site-name = Passerelle, { $city }
gateway-name = Participation gateway
skip = Skip to content
menu = Main menu
languages = Interface language
trail = Breadcrumb
nav-home = Home
nav-consultations = Consultations
nav-commitments = Commitments
nav-partners = Partner cities
nav-help = Help
nav-legal = Legal notice
nav-privacy = Personal data
nav-sitemap = Site map
nav-contact = Contact
nav-eco = Eco-design
nav-source = Source code
nav-vocabulary = Shared vocabulary
a11y-none = Accessibility: not compliant
a11y-partial = Accessibility: partially compliant
a11y-full = Accessibility: fully compliant
footer-note = This site sets no cookie and calls no other site.
pager = Pages of the list
pager-here = Page { $page } of { $pages }
pager-first = First page
pager-next = Next page
title-page = { $title }, page { $page }
title-of-record = { $name } ({ $kind }, { $city })
title-of-copy = { $name } ({ $kind } of { $city }, copy)
to-complete = to be completed

# Dates and numbers
month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December
day-and-time = { $day }, { $time }
from-to = from { $from } to { $to }
since-day = since { $day }
until-day = until { $day }
ended-day = ended on { $day }
opens-day = opens on { $day }
no-dates = no dates
published-day = published on { $day }
changed-day = changed on { $day }

# Languages of content
language-fr = French
language-en = English
language-de = German
language-es = Spanish
language-it = Italian
language-pt = Portuguese
language-nl = Dutch
language-ca = Catalan
language-eu = Basque
language-ar = Arabic
translated = Machine translation · read the original in { $lang }

# Classes
class-consultation = Consultation
class-contribution = Contribution
class-argument = Argument
class-comment = Comment
class-disposition = Treatment
class-officialresponse = Official answer
class-meeting = Meeting
class-budgetproject = Budget project
class-result = Result
class-progressupdate = Progress update
class-document = Document
class-poll = Poll
class-decision = Decision
class-commitment = Commitment
argument-for = Argument in favour
argument-against = Argument against
named-by-day = { $what } of { $day }
process-kind-consultation = consultation
process-kind-participatory-budget = participatory budget
process-kind-petition = petition
process-kind-assembly = assembly
process-kind-survey = survey
process-kind-hearing = hearing
process-kind-statutory-inquiry = statutory inquiry
process-kind-call-for-ideas = call for ideas
contribution-kind-proposal = proposal
contribution-kind-idea = idea
contribution-kind-opinion = opinion
contribution-kind-amendment = amendment
contribution-kind-question = question
contribution-kind-problem = reported problem
contribution-kind-petition = petition
contribution-kind-survey-aggregate = survey results

# States
lifecycle-draft = Draft
lifecycle-scheduled = Upcoming
lifecycle-open = Open
lifecycle-paused = Paused
lifecycle-closed = Closed
lifecycle-deciding = Being decided
lifecycle-decided = Decided
lifecycle-implementing = Being implemented
lifecycle-implemented = Implemented
lifecycle-evaluated = Evaluated
lifecycle-cancelled = Cancelled
lifecycle-archived = Archived
phase-state-planned = upcoming
phase-state-open = in progress
phase-state-closed = finished
phase-state-cancelled = cancelled
disposition-pending = Pending
disposition-admissible = Admissible
disposition-inadmissible = Inadmissible
disposition-under-evaluation = Under evaluation
disposition-accepted = Accepted
disposition-partially-accepted = Accepted in part
disposition-rejected = Not accepted
disposition-merged = Merged
status-unmapped = Pending (state “{ $raw }” not recognised)
outcome-accepted = Accepted
outcome-partially-accepted = Accepted in part
outcome-rejected = Not accepted
outcome-merged = Merged
outcome-inadmissible = Inadmissible
outcome-noted = Noted
commitment-planned = Planned
commitment-underway = Under way
commitment-done = Done
commitment-delayed = Delayed
commitment-abandoned = Abandoned
commitment-revised = Revised
commitment-overdue = Overdue
poll-open = Open
poll-closed = Closed
voting-method-single = one choice
voting-method-approval = several choices
voting-method-points = points to distribute
voting-method-cumulative = cumulative votes
voting-method-ranking = ranking
voting-method-petition = petition
voting-method-none = no vote
project-submitted = Submitted
project-feasible = Feasible
project-unfeasible = Not feasible
project-on-ballot = On the ballot
project-selected = Selected
project-not-selected = Not selected
project-realised = Realised
project-abandoned = Abandoned
meeting-upcoming = Upcoming
meeting-over = Over
meeting-cancelled = Cancelled
meeting-postponed = Postponed
meeting-kind-in-person = in person
meeting-kind-online = online
meeting-kind-hybrid = in person and online
document-kind-agenda = agenda
document-kind-minutes = minutes
document-kind-study = study
document-kind-plan = plan
document-kind-deliberation = deliberation
document-kind-evidence = evidence
due-day = due { $day }
state-hidden = Hidden
state-deleted = Deleted
withdrawn = Withdrawn by its author
withdrawn-notice = Withdrawn by its author. The title stays; text and author are no longer published.
withdrawn-notice-day = Withdrawn by its author on { $day }. The title stays; text and author are no longer published.
reason-out-of-scope = out of scope
reason-duplicate = duplicate
reason-not-competent-authority = not within the authority's remit
reason-illegal-content = unlawful content
reason-personal-data = personal data
reason-incomplete = incomplete
reason-late = late
reason-cost = cost
reason-technical = technical reason
reason-legal = legal reason
reason-already-planned = already planned
reason-other = other reason

# Authors
author-person = A person from { $city }
author-organisation = An organisation from { $city }
author-official = { $city }
author-collective = A group from { $city }
author-unknown = Author not published

# Origin
badge-copy = From { $city }
badge-copy-words = , copy, content of another city
banner = Origin of this content
banner-original = Original:
banner-licence = Licence:
banner-may = May be displayed. Changes and deletions come from the city of origin.
origin-copy = Copy. The original is published by { $city }.
origin-read = Read on { $when }.
origin-kept = Kept until { $when }, unless the city of origin confirms it again.
origin-stale = Not refreshed since { $when }: { $city } is not answering.
held-link = What we hold of { $city }
held-step = Copies from { $city }
held-about = Our exchanges with { $city }
held-title = Copies from { $city }
held-count = { $n ->
    [0] Nothing from { $city } is held here.
    [one] { $n } record from { $city } is held here.
   *[other] { $n } records from { $city } are held here.
 }
held-lead = Each of them remains the property of { $city }, which can change it or call it back. The original is one link away from every copy.
held-none = Nothing yet.

# Counts
count-support = { $n ->
    [0] No supports, counted by { $city } on { $when }
    [one] <strong>{ $n }</strong> support, counted by { $city } on { $when }
   *[other] <strong>{ $n }</strong> supports, counted by { $city } on { $when }
 }
count-vote = { $n ->
    [0] No votes, counted by { $city } on { $when }
    [one] <strong>{ $n }</strong> vote, counted by { $city } on { $when }
   *[other] <strong>{ $n }</strong> votes, counted by { $city } on { $when }
 }
count-points = { $n ->
    [0] No points, counted by { $city } on { $when }
    [one] <strong>{ $n }</strong> point, counted by { $city } on { $when }
   *[other] <strong>{ $n }</strong> points, counted by { $city } on { $when }
 }
count-signature = { $n ->
    [0] No signatures, counted by { $city } on { $when }
    [one] <strong>{ $n }</strong> signature, counted by { $city } on { $when }
   *[other] <strong>{ $n }</strong> signatures, counted by { $city } on { $when }
 }
count-rating = Rating <strong>{ $n }</strong>, noted by { $city } on { $when }
count-hidden = Number not published by { $city }
short-support = { $n ->
    [0] no supports
    [one] { $n } support
   *[other] { $n } supports
 }
short-vote = { $n ->
    [0] no votes
    [one] { $n } vote
   *[other] { $n } votes
 }
short-points = { $n ->
    [0] no points
    [one] { $n } point
   *[other] { $n } points
 }
short-signature = { $n ->
    [0] no signatures
    [one] { $n } signature
   *[other] { $n } signatures
 }
short-rating = rating { $n }
short-hidden = number not published
short-comments = { $n ->
    [0] no comments
    [one] { $n } comment
   *[other] { $n } comments
 }

# Home
home-title = Participation in { $city } and its neighbours
home-lead = The consultations of { $city }, what residents contribute and what the authority answers, published openly and exchanged with partner cities.
home-open = Open consultations in { $city }
home-first-day = No consultation has been published yet. The city's platform:
home-none-open = No consultation is open at the moment.
home-all-consultations = All consultations
home-open-partners = Open consultations in partner cities
home-none-partners = No open consultation has been received from partner cities.
home-answers = { $n ->
    [0] Official answers this month
    [one] { $n } official answer this month
   *[other] { $n } official answers this month
 }
home-all-answers = All answers, by consultation:
home-answers-of = { $name } ({ $n } this month)
home-no-answers = No official answer has been published this month.
home-promises = Commitments due soon or overdue
home-all-promises = All commitments
home-partners = { $n ->
    [0] Partner cities
    [one] { $n } partner city
   *[other] { $n } partner cities
 }
home-about = What this site is
home-about-text = This gateway connects the participation platform of { $city } with those of other cities. Every record remains the property of the city it comes from; the others only hold a copy, which the origin can call back. To take part, follow the link to the platform of the city concerned.
reading-incomplete = Incomplete reading on { $when }: not everything that { $platform } publishes could be read. What is missing here has not necessarily disappeared.

# Consultations
consultations-title = Consultations
consultations-count = { $n ->
    [0] No consultation of { $city } is published.
    [one] { $n } consultation of { $city }.
   *[other] { $n } consultations of { $city }, newest first.
 }
consultations-none = No consultation has been published yet.
consultation-about = What it is about
consultation-answers = { $n ->
    [0] What the city answered
   *[other] What the city answered ({ $n })
 }
consultation-contributions = { $n ->
    [0] Contributions
   *[other] Contributions ({ $n })
 }
consultation-discussion = General discussion
all-answers = All official answers
all-contributions = All contributions
contributions-title = Contributions to “{ $name }”
contributions-count = { $n ->
    [0] No contribution is published.
    [one] { $n } contribution published by { $city }.
   *[other] { $n } contributions published by { $city }, newest first.
 }
contributions-none = No contribution has been published yet.
responses-title = Official answers in “{ $name }”
responses-count = { $n ->
    [0] No official answer is published.
    [one] { $n } official answer of { $city }.
   *[other] { $n } official answers of { $city }, newest first.
 }
phases = Steps
topics = Questions and sections
take-part = Take part on { $host }
see-platform = See on { $host }

# Contribution
in-consultation = in { $name }
on-record = About { $name }
amends = amends another contribution
place = Place
themes = Themes
coordinates = { $north }° north, { $east }° east (to within 10 m)
answer-of = Official answer of { $city }
answer-none = No official answer yet
answer-page = Page of this answer
answer-revision = Answers version { $a }; current version: { $b }
treatment = How the authority treats it
treatment-merged = The contribution it was merged into
treatment-page = Page of this treatment
discussion = Discussion
discussion-none = No comment has been published.
side-for = In favour ({ $n })
side-against = Against ({ $n })
side-other = Other views ({ $n })
side-gone = Deleted comments ({ $n })
side-for-here = In favour ({ $n } on this page)
side-against-here = Against ({ $n } on this page)
side-other-here = Other views ({ $n } on this page)
side-gone-here = Deleted comments ({ $n } on this page)
side-none = None.
comment-page = Page of this comment
comment-deleted = Comment deleted
comment-hidden = Comment hidden
comment-withdrawn = Comment withdrawn by its author
thread-deeper = See what follows
replies = Replies
relations = Context
relation-reply-to = In reply to
relation-subject = Contribution concerned
relation-answers = Answers
relation-process = Consultation
relation-merged = Merged into
relation-not-here = not received here yet
fedi-note = Replies from the Fediverse are neither shown nor counted.

# Meetings, projects, results, documents
consultation-results = What was done ({ $n })
consultation-projects = Projects ({ $n })
consultation-meetings = Meetings ({ $n })
consultation-documents = Every document of this consultation ({ $n })
all-results = All results
all-projects = All projects
all-meetings = All meetings
results-title = Results of “{ $name }”
results-count = { $n ->
    [0] No result has been published.
    [one] { $n } result published by { $city }.
   *[other] { $n } results published by { $city }, newest first.
 }
results-none = No result has been published.
projects-title = Projects of “{ $name }”
projects-count = { $n ->
    [0] No project has been published.
    [one] { $n } project published by { $city }.
   *[other] { $n } projects published by { $city }, newest first.
 }
projects-none = No project has been published.
meetings-title = Meetings of “{ $name }”
meetings-count = { $n ->
    [0] No meeting has been published.
    [one] { $n } meeting published by { $city }.
   *[other] { $n } meetings published by { $city }, newest first.
 }
meetings-none = No meeting has been published.
documents-title = Documents of “{ $name }”
documents-count = { $n ->
    [0] No document has been published.
    [one] { $n } document published by { $city }.
   *[other] { $n } documents published by { $city }, newest first.
 }
documents-none = No document has been published.
documents = Documents
document-open = Open the document
document-at = Open the file at { $city }
document-data = data
document-kind = Sort
document-type = Format
document-size = Size
meeting-from-to = { $from }, until { $to }
meeting-online = Online
meeting-kind = Form
meeting-capacity = Seats
meeting-attendance = People who came
meeting-agenda = Agenda
meeting-minutes = Minutes
project-estimated = Estimated cost: <strong>{ $amount }</strong>
project-awarded = Granted: <strong>{ $amount }</strong>
project-final = Final cost: <strong>{ $amount }</strong>
project-final-term = Final cost
project-feasibility = Feasibility
project-rivals = Incompatible with
project-rival = another project
result-starts = Began
result-due = Due
result-evidence = Evidence
progress-known = Progress: { $percent }
progress-unknown = Progress not stated
section-origin = At its root
section-progress = Progress
section-parts = Parts of this result
section-news-of = About
section-attached = Attached to

# Polls, decisions, commitments
consultation-decisions = Decisions ({ $n })
consultation-commitments = Commitments ({ $n })
consultation-polls = Polls ({ $n })
all-decisions = All decisions
all-commitments = All commitments
all-polls = All polls
decisions-title = Decisions on “{ $name }”
decisions-count = { $n ->
    [0] No decision has been published.
    [one] { $n } decision published by { $city }.
   *[other] { $n } decisions published by { $city }, newest first.
 }
decisions-none = No decision has been published.
polls-title = Polls of “{ $name }”
polls-count = { $n ->
    [0] No poll has been published.
    [one] { $n } poll published by { $city }.
   *[other] { $n } polls published by { $city }, newest first.
 }
polls-none = No poll has been published.
commitments-title = Commitments on “{ $name }”
commitments-count = { $n ->
    [0] No commitment has been published.
    [one] { $n } commitment published by { $city }.
   *[other] { $n } commitments published by { $city }, newest first.
 }
commitments-none = No commitment has been published yet.
commitments-lead = What the city and its partners promised to do, until when, and how far it has come. A day that was moved stays shown, beside the new one, on the page of the commitment.
commitments-of = Commitments of { $city }
commitments-among = Among the { $n } most recent commitments:
commitments-state = { $state }: { $n }
commitments-more = { $n ->
    [one] { $n } older commitment is not shown here.
   *[other] { $n } older commitments are not shown here.
 }
commitments-table = Commitments, those due first on top
commitments-promise = Commitment
commitments-role = Responsible
commitments-due = Due
commitments-where = State
commitments-progress = Progress
commitment-by-before = { $role } commits to it, due { $day }
commitment-by = { $role } commits to it
commitment-before = Due { $day }
commitment-budget = Budget
commitment-indicator = Indicator
commitment-target = Target
due-moved = Due date moved from { $from } to { $to }.
poll-options = { $n ->
    [one] { $n } option
   *[other] { $n } options
 }
counted-day = counted on { $day }
poll-counted = Counted on { $day }
poll-table = Results of the poll
poll-option = Option
poll-chosen = Votes
poll-ends = Voting ends
poll-method = How to vote
poll-electorate = People entitled to vote
poll-threshold = Figures are published from
decision-by-on = Decided by { $organ } on { $day }
decision-on = Decided on { $day }
decision-by = Decided by { $organ }
decision-number = Number
decision-votes-for = Votes in favour
decision-votes-against = Votes against
decision-abstentions = Abstentions
decision-text = Official text
decision-basis = Legal basis
section-promises = Commitments
section-next = What followed

# Foot of a record
facts = Data and proof
facts-address = Permanent address
facts-data = Data
facts-revision = Revision
facts-digest = Digest
facts-source = Source
facts-read = Read on
facts-licence = Licence
facts-rights = Exercise your rights

# Versions
versions = Versions
versions-title = Versions of “{ $name }”
version-name = Version { $n }
version-see = version { $n } (see the changes)
versions-count = { $n ->
    [one] { $n } published version.
   *[other] { $n } published versions, the most recent first.
 }
versions-silent = { $n ->
    [one] { $n } other signed revision changed nothing but numbers or the time of reading.
   *[other] { $n } other signed revisions changed nothing but numbers or the time of reading.
 }
versions-explained = The city signs every revision. A text that is hidden, withdrawn or deleted is erased from all its versions: its digest and its day are left.
revision-title = Version { $n } of “{ $name }” (revision { $revision })
revision-first = first published
revision-shown-again = published again
revision-erased = text erased
revision-erased-notice = The text of this version is erased. Its digest and its day are left.
revision-before-erased = The version before is erased: there is nothing to compare with.
revision-silent = The text is that of the version: only numbers or the time of reading changed.
revision-too-long = The text is too long to be compared word by word.
revision-changes = What changed
revision-whole = Full text
change-title = title
change-text = text
change-themes = themes
change-place = place
change-topic = question
change-state = state
change-author = author
change-counts = numbers or the time of reading
change-title-heading = Title
change-text-heading = Text
diff-added = added
diff-removed = removed
diff-end = end
facts-previous = Previous digest
facts-versions = all versions

# Hidden, deleted
title-absent = { $what } ({ $city }, { $day })
hidden-consultation = This consultation is hidden
hidden-contribution = This contribution is hidden
hidden-argument = This argument is hidden
hidden-comment = This comment is hidden
hidden-disposition = This treatment is hidden
hidden-officialresponse = This answer is hidden
hidden-meeting = This meeting is hidden
hidden-budgetproject = This project is hidden
hidden-result = This result is hidden
hidden-progressupdate = This progress update is hidden
hidden-document = This document is hidden
hidden-poll = This poll is hidden
hidden-decision = This decision is hidden
hidden-commitment = This commitment is hidden
hidden-by = Hidden by { $city }.
hidden-here = Hidden by { $city }: { $why }.
hidden-explained = It still exists; neither its title nor its author nor its text is published as long as the city of origin holds it back.
hidden-json = The hidden revision (JSON)
deleted-consultation = This consultation was deleted
deleted-contribution = This contribution was deleted
deleted-argument = This argument was deleted
deleted-comment = This comment was deleted
deleted-disposition = This treatment was deleted
deleted-officialresponse = This answer was deleted
deleted-meeting = This meeting was deleted
deleted-budgetproject = This project was deleted
deleted-result = This result was deleted
deleted-progressupdate = This progress update was deleted
deleted-document = This document was deleted
deleted-poll = This poll was deleted
deleted-decision = This decision was deleted
deleted-commitment = This commitment was deleted
deleted-day = Deleted by { $city } on { $day }. Neither title nor author nor text is kept.
copy-gone = The city of origin called this content back; the copy is erased here.
deleted-undated = Deleted by { $city }. Neither title nor author nor text is kept.
purge-count = { $all ->
    [0] No copy had been sent to partner cities.
   *[other] Copies: { $done } of { $all } erased at partners, with a signed receipt.
 }

# Partners
partners-title = Partner cities
partners-lead = With whom { $city } exchanges consultations, and what was really sent.
partners-none = No partner city yet.
partners-table = Exchanges by partner
partners-city = Partner
partners-kind = Kind
partners-since = Since
partners-sent = Sent, received there
partners-received = Received, held here
partners-rule = Something sent counts only once the partner has answered with a signed receipt. The numbers of two cities are never added up.
partner-title = Exchanges with { $city }
partner-kind-partner = partner city
partner-kind-reader = reading server of the Fediverse
partner-since = listed since { $day }
partner-last = last exchange on { $when }
partner-connected = Connected
partner-waiting = Waiting
partner-blocked = Sending suspended
partner-flows = What flows
flow-out = { $partner } follows { $city }: what { $city } publishes is sent there.
flow-out-none = { $partner } does not follow { $city }: nothing is sent there.
flow-in = { $city } follows { $partner }: what { $partner } publishes is held here as a copy.
flow-in-pending = { $city } has asked to follow { $partner }; the answer is awaited.
flow-in-none = { $city } does not follow { $partner }.
partner-numbers = In numbers
partner-numbers-caption = Number of records, from the ledger of exchanges
partner-what = What
partner-how-many = How many
ledger-sent = Sent
ledger-sent-means = the partner holds them or may hold them
ledger-acknowledged = Acknowledged
ledger-acknowledged-means = receipt confirmed by a signature
ledger-waiting = Waiting
ledger-waiting-means = to be sent, or sent without a receipt
ledger-refused = Refused or set aside
ledger-refused-means = the partner refused, or we stopped trying
ledger-recalled = Called back
ledger-recalled-means = the partner was asked to delete them
ledger-purged = Erased with a receipt
ledger-purged-means = erasure confirmed by a signature; without a receipt nothing counts as erased
ledger-open = Called back, not proven erased
ledger-open-means = until the partner confirms the erasure by a signature; asked for again until then
ledger-open-since = the oldest since { $when }; asked for again until the erasure is confirmed by a signature
ledger-received = Received and held here
ledger-received-means = copies of the partner's records
ledger-erased-here = Erased here
ledger-erased-here-means = called back by the partner, erased by us
partner-key = Verified identity
partner-key-text = Key pinned at pairing; the eight words or the sixteen digits are compared by telephone.
partner-words = Words
partner-digits = Digits
partner-actor = Actor

# Theme
theme-title = Theme: { $name }
theme-lead = Recent records of { $city } on this theme.
theme-same = Corresponds to { $concept }

# Errors
error-title = Error: { $title }
error-number = Number to quote:
error-404-title = This address does not exist here
error-404 = The link may be incomplete, or the page never existed. The site map leads to everything that is published.
error-405-title = This address can only be read
error-405 = The method used is not known at this address.
error-413-title = Too large to send
error-413 = This address does not take that much.
error-503-title = The answer takes too long
error-503 = The page could not be prepared in time. Try again in ten seconds.
error-500-title = A fault on our side
error-500 = The page could not be prepared. It is not your doing; if it lasts, write to us and quote the number.

# Accessibility
a11y-title = Accessibility statement
a11y-1 = { $city } undertakes to make its sites accessible, as article 47 of the French law no. 2005-102 of 11 February 2005 requires.
a11y-none-sentence = This site has not been audited yet: it is not compliant with the French accessibility standard (RGAA 4.1.2).
a11y-expired-sentence = The last audit of this site was on { $day }, three years ago or more: it no longer counts. The site is not compliant with the French accessibility standard (RGAA 4.1.2).
a11y-audited-full = According to the audit of { $day }, this site is fully compliant with the French accessibility standard (RGAA 4.1.2).
a11y-audited-partial = According to the audit of { $day }, this site is partially compliant with the French accessibility standard (RGAA 4.1.2).
a11y-audited-none = According to the audit of { $day }, this site is not compliant with the French accessibility standard (RGAA 4.1.2).
a11y-results = Results of the audit and content that is not accessible: { $report }
a11y-why = Why “not compliant”
a11y-2 = Only an audit of the site itself less than three years old allows another statement.
a11y-3 = What is done: pages readable without script or style, ordered headings, a language stated for every text, measured contrasts, keyboard use, zoom to 400%.
a11y-report = Report a difficulty
a11y-4 = If some content or service is not accessible to you, write to us: { $contact }. An answer is due within a week.
a11y-5 = The information will be given to you in a form that suits you.
a11y-appeal = Appeal
a11y-6 = Without a satisfactory answer you may turn to the French Defender of Rights (defenseurdesdroits.fr).

# Legal notice
legal-title = Legal notice
legal-publisher = Publisher
legal-director = Director of publication
legal-address = Address
legal-telephone = Telephone
legal-contact = Write
legal-host = Hosting
legal-content = Content
legal-content-1 = The content of { $city } is published under the licence shown at the foot of each page.
legal-content-2 = Copies of other cities' content bear the name of their origin, a link to the original and its licence.
legal-software = Software
legal-software-1 = This site runs Passerelle, free software under the GNU AGPL 3.0; its code is one link away from every page.

# Personal data
privacy-title = Personal data
privacy-1 = Controller: { $city }. Legal basis: task in the public interest (GDPR, article 6(1)(e)).
privacy-visitors = If you read this site
privacy-2 = No cookie, no audience measurement, no call to another site. The address of your connection serves to answer you and is not kept in the pages.
privacy-authors = If you contributed
privacy-3 = Your name is never read or passed on. A pseudonym, different in each consultation, tells authors apart without naming them.
privacy-4 = What the city's platform hides disappears from here at once; what it deletes is erased here.
privacy-partners = What partner cities receive
privacy-5 = A copy of what is public, never more. They must erase it when { $city } asks, and answer with a signed receipt.
privacy-6 = The page of partner cities says how many records were sent, called back and erased.
privacy-rights = Your rights
privacy-7 = Access, rectification, erasure, objection: { $contact }. You may also turn to your data protection authority (in France: cnil.fr).

# Help
help-title = Help
help-1 = This site is read without an account. To take part, follow the link to the platform of the city that runs the consultation.
help-copy = What is a copy?
help-copy-1 = A partner city's record, shown here under a purple banner “Copy”. The original is what counts; the banner leads there.
help-copy-2 = A copy expires when the city of origin no longer confirms it, and disappears when it is called back.
help-hidden = Hidden, withdrawn, deleted
help-hidden-1 = Hidden: the city of origin holds the record back; it may return. Withdrawn: its author took it back; the title stays.
help-hidden-2 = Deleted: only the address and the date are left; partner cities must confirm that their copies are erased.
help-counts = Why are numbers not added up?
help-counts-1 = Each city counts in its own way, and the same person may act twice. So numbers bear the name of who counted, and the date.
help-json = The data
help-json-1 = Each record can also be read as signed JSON, by the link “ActivityPub (JSON)” at the foot of its page.
help-fediverse = And the Fediverse?
help-fediverse-1 = A server of the Fediverse that { $city } has listed can follow what it publishes.

# Contact
contact-title = Contact
contact-1 = To reach { $city } about this site:
contact-platforms = About a consultation
contact-platforms-1 = Questions about a consultation are asked on the city's platform:
contact-a11y = Difficulty of access
contact-a11y-1 = Tell us the page, what you were looking for and the equipment you use; an answer is due within a week.

# Eco-design
eco-title = Eco-design
eco-1 = Limits that automatic tests hold the public pages to, after the French reference RGESN:
eco-requests = two requests a page: the page and one style sheet
eco-script = no script needed, no script sent
eco-fonts = no font downloaded
eco-css = style sheet: 20 kilobytes at most, kept by the browser
eco-third = no call to another site, no cookie
eco-cache = pages revalidated by digest: nothing is sent again while nothing has changed
eco-2 = The other criteria of the reference have not been evaluated yet.

# Site map
sitemap-title = Site map
sitemap-read = Read
sitemap-exchange = Exchanges between cities
sitemap-about = About the site
sitemap-machines = For machines

# Source code
source-title = Source code
source-1 = You are entitled to the source code of what runs here (GNU AGPL, section 13).
source-archive = Archive
source-archive-words = the source code of this program as it runs here (tar, { $size } MB)
source-repository = Repository
source-version = Version
source-commit = Exact revision
source-commit-unknown = not recorded in this build
source-licence = Licence

# Vocabulary
ns-title = Shared vocabulary
ns-1 = The words by which cities describe their consultations, the same at all of them.
ns-2 = JSON-LD context: { $context }. Terms have permanent names under https://w3id.org/participation-vocab/ns#.
ns-classes = Classes

# Documents of the exchange
activity-title = Activity that was sent
activity-lead = What this gateway sent to a partner.
followers-title = Followers
followers-count = { $n ->
    [0] No account of the Fediverse follows this consultation by itself.
    [one] { $n } account of the Fediverse follows this consultation by itself.
   *[other] { $n } accounts of the Fediverse follow this consultation by itself.
 }
followers-lead = Only their number is shown, never who they are. Accounts that follow the whole city are not counted here.
followers-back = Back to the consultation
receipt-title = Signed receipt
receipt-lead = What this gateway confirmed to a partner; the signature can be checked without us.
