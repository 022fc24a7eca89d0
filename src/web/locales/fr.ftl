# Passerelle, pages publiques, en français. Espaces : U+202F avant ; ! ?, U+00A0 avant : et dans « ».

# Cadre
site-name = Passerelle, { $city }
gateway-name = Passerelle citoyenne
skip = Aller au contenu
menu = Menu principal
languages = Langue de l'interface
trail = Fil d'Ariane
nav-home = Accueil
nav-consultations = Consultations
nav-commitments = Engagements
nav-partners = Villes partenaires
nav-help = Aide
nav-legal = Mentions légales
nav-privacy = Données personnelles
nav-sitemap = Plan du site
nav-contact = Contact
nav-eco = Éco-conception
nav-source = Code source
nav-vocabulary = Vocabulaire commun
a11y-none = Accessibilité : non conforme
a11y-partial = Accessibilité : partiellement conforme
a11y-full = Accessibilité : totalement conforme
footer-note = Ce site ne dépose aucun cookie et n'appelle aucun autre site.
pager = Pages de la liste
pager-here = Page { $page } sur { $pages }
pager-first = Première page
pager-next = Page suivante
title-page = { $title }, page { $page }
title-of-record = { $name } ({ $kind }, { $city })
title-of-copy = { $name } ({ $kind } de { $city }, copie)
to-complete = à compléter

# Dates et nombres
month-1 = janvier
month-2 = février
month-3 = mars
month-4 = avril
month-5 = mai
month-6 = juin
month-7 = juillet
month-8 = août
month-9 = septembre
month-10 = octobre
month-11 = novembre
month-12 = décembre
day-and-time = { $day } à { $time }
from-to = du { $from } au { $to }
since-day = depuis le { $day }
until-day = jusqu'au { $day }
ended-day = terminée le { $day }
opens-day = ouvre le { $day }
no-dates = sans dates
published-day = publication le { $day }
changed-day = modification le { $day }

# Langues des contenus
language-fr = français
language-en = anglais
language-de = allemand
language-es = espagnol
language-it = italien
language-pt = portugais
language-nl = néerlandais
language-ca = catalan
language-eu = basque
language-ar = arabe
translated = Traduction automatique · lire l'original en { $lang }

# Classes
class-consultation = Consultation
class-contribution = Contribution
class-argument = Argument
class-comment = Commentaire
class-disposition = Suite donnée
class-officialresponse = Réponse officielle
class-meeting = Rencontre
class-budgetproject = Projet de budget participatif
class-result = Réalisation
class-progressupdate = Point d'avancement
class-document = Document
class-poll = Sondage
class-decision = Décision
class-commitment = Engagement
argument-for = Argument pour
argument-against = Argument contre
named-by-day = { $what } du { $day }
process-kind-consultation = consultation
process-kind-participatory-budget = budget participatif
process-kind-petition = pétition
process-kind-assembly = assemblée
process-kind-survey = enquête
process-kind-hearing = audition
process-kind-statutory-inquiry = enquête publique
process-kind-call-for-ideas = appel à idées
contribution-kind-proposal = proposition
contribution-kind-idea = idée
contribution-kind-opinion = avis
contribution-kind-amendment = amendement
contribution-kind-question = question
contribution-kind-problem = problème signalé
contribution-kind-petition = pétition
contribution-kind-survey-aggregate = résultats d'enquête

# États
lifecycle-draft = Brouillon
lifecycle-scheduled = À venir
lifecycle-open = Ouverte
lifecycle-paused = Suspendue
lifecycle-closed = Terminée
lifecycle-deciding = Décision en cours
lifecycle-decided = Décidée
lifecycle-implementing = En cours de réalisation
lifecycle-implemented = Réalisée
lifecycle-evaluated = Évaluée
lifecycle-cancelled = Annulée
lifecycle-archived = Archivée
phase-state-planned = à venir
phase-state-open = en cours
phase-state-closed = terminée
phase-state-cancelled = annulée
disposition-pending = En attente
disposition-admissible = Recevable
disposition-inadmissible = Irrecevable
disposition-under-evaluation = À l'étude
disposition-accepted = Retenue
disposition-partially-accepted = Retenue en partie
disposition-rejected = Non retenue
disposition-merged = Fusionnée
status-unmapped = En attente (état « { $raw } » non reconnu)
outcome-accepted = Retenue
outcome-partially-accepted = Retenue en partie
outcome-rejected = Non retenue
outcome-merged = Fusionnée
outcome-inadmissible = Irrecevable
outcome-noted = Prise en compte
commitment-planned = Prévu
commitment-underway = En cours
commitment-done = Réalisé
commitment-delayed = En retard
commitment-abandoned = Abandonné
commitment-revised = Révisé
commitment-overdue = Échéance dépassée
poll-open = Ouvert
poll-closed = Clos
voting-method-single = un seul choix
voting-method-approval = plusieurs choix
voting-method-points = points à répartir
voting-method-cumulative = votes cumulables
voting-method-ranking = classement
voting-method-petition = pétition
voting-method-none = sans vote
project-submitted = Déposé
project-feasible = Réalisable
project-unfeasible = Non réalisable
project-on-ballot = Soumis au vote
project-selected = Lauréat
project-not-selected = Non lauréat
project-realised = Réalisé
project-abandoned = Abandonné
meeting-upcoming = À venir
meeting-over = Passée
meeting-cancelled = Annulée
meeting-postponed = Reportée
meeting-kind-in-person = sur place
meeting-kind-online = en ligne
meeting-kind-hybrid = sur place et en ligne
document-kind-agenda = ordre du jour
document-kind-minutes = compte rendu
document-kind-study = étude
document-kind-plan = plan
document-kind-deliberation = délibération
document-kind-evidence = justificatif
due-day = échéance le { $day }
state-hidden = Contenu masqué
state-deleted = Contenu supprimé
withdrawn = Contenu retiré par son auteur
withdrawn-notice = Contenu retiré par son auteur. Le titre reste, le texte et l'auteur ne sont plus publiés.
withdrawn-notice-day = Contenu retiré par son auteur le { $day }. Le titre reste, le texte et l'auteur ne sont plus publiés.
reason-out-of-scope = hors sujet
reason-duplicate = doublon
reason-not-competent-authority = hors de la compétence de la collectivité
reason-illegal-content = contenu illicite
reason-personal-data = données personnelles
reason-incomplete = incomplète
reason-late = hors délai
reason-cost = coût
reason-technical = raison technique
reason-legal = raison juridique
reason-already-planned = déjà prévue
reason-other = autre motif

# Auteurs
author-person = Une personne de { $city }
author-organisation = Une organisation de { $city }
author-official = { $city }
author-collective = Un collectif de { $city }
author-unknown = Auteur non publié

# Origine
badge-copy = De { $city }
badge-copy-words = , copie, contenu d'une autre ville
banner = Origine de ce contenu
banner-original = Original :
banner-licence = Licence :
banner-may = Affichage permis. Les modifications et les suppressions viennent de la ville d'origine.
origin-copy = Copie. L'original est publié par { $city }.
origin-read = Lue le { $when }.
origin-kept = Conservée jusqu'au { $when }, sauf confirmation par la ville d'origine.
origin-stale = Pas revue depuis le { $when } : { $city } ne répond pas.
held-link = Ce que nous conservons de { $city }
held-step = Copies de { $city }
held-about = Nos échanges avec { $city }
held-title = Copies de { $city }
held-count = { $n ->
    [0] Aucun contenu de { $city } n'est conservé ici.
    [one] { $n } contenu de { $city } est conservé ici.
   *[other] { $n } contenus de { $city } sont conservés ici.
 }
held-lead = Chacun reste la propriété de { $city }, qui peut le modifier ou le rappeler. L'original est à un lien de chaque copie.
held-none = Rien pour l'instant.

# Nombres
count-support = { $n ->
    [0] Aucun soutien, compté par { $city } le { $when }
    [one] <strong>{ $n }</strong> soutien, compté par { $city } le { $when }
   *[other] <strong>{ $n }</strong> soutiens, comptés par { $city } le { $when }
 }
count-vote = { $n ->
    [0] Aucun vote, compté par { $city } le { $when }
    [one] <strong>{ $n }</strong> vote, compté par { $city } le { $when }
   *[other] <strong>{ $n }</strong> votes, comptés par { $city } le { $when }
 }
count-points = { $n ->
    [0] Aucun point, compté par { $city } le { $when }
    [one] <strong>{ $n }</strong> point, compté par { $city } le { $when }
   *[other] <strong>{ $n }</strong> points, comptés par { $city } le { $when }
 }
count-signature = { $n ->
    [0] Aucune signature, comptée par { $city } le { $when }
    [one] <strong>{ $n }</strong> signature, comptée par { $city } le { $when }
   *[other] <strong>{ $n }</strong> signatures, comptées par { $city } le { $when }
 }
count-rating = Note <strong>{ $n }</strong>, relevée par { $city } le { $when }
count-hidden = Nombre non publié par { $city }
short-support = { $n ->
    [0] aucun soutien
    [one] { $n } soutien
   *[other] { $n } soutiens
 }
short-vote = { $n ->
    [0] aucun vote
    [one] { $n } vote
   *[other] { $n } votes
 }
short-points = { $n ->
    [0] aucun point
    [one] { $n } point
   *[other] { $n } points
 }
short-signature = { $n ->
    [0] aucune signature
    [one] { $n } signature
   *[other] { $n } signatures
 }
short-rating = note { $n }
short-hidden = nombre non publié
short-comments = { $n ->
    [0] aucun commentaire
    [one] { $n } commentaire
   *[other] { $n } commentaires
 }

# Accueil
home-title = La participation à { $city }, et chez ses voisines
home-lead = Les consultations de { $city }, les contributions des habitants et les réponses de la collectivité, publiées de façon ouverte et échangées avec les villes partenaires.
home-open = Consultations ouvertes à { $city }
home-first-day = Aucune consultation publiée pour l'instant. La plateforme de la ville :
home-none-open = Aucune consultation n'est ouverte en ce moment.
home-all-consultations = Toutes les consultations
home-open-partners = Consultations ouvertes dans les villes partenaires
home-none-partners = Aucune consultation ouverte n'a été reçue des villes partenaires.
home-answers = { $n ->
    [0] Réponses officielles ce mois-ci
    [one] { $n } réponse officielle ce mois-ci
   *[other] { $n } réponses officielles ce mois-ci
 }
home-all-answers = Toutes les réponses, par consultation :
home-answers-of = { $name } ({ $n } ce mois-ci)
home-no-answers = Aucune réponse officielle publiée ce mois-ci.
home-promises = Engagements à échéance proche ou dépassée
home-all-promises = Tous les engagements
home-partners = { $n ->
    [0] Villes partenaires
    [one] { $n } ville partenaire
   *[other] { $n } villes partenaires
 }
home-about = Ce qu'est ce site
home-about-text = Cette passerelle relie la plateforme de participation de { $city } à celles d'autres villes. Chaque contenu reste la propriété de la ville d'où il vient ; les autres n'en conservent qu'une copie, que l'origine peut rappeler. Pour participer, suivez le lien vers la plateforme de la ville concernée.
reading-incomplete = Lecture incomplète le { $when } : tout ce que publie { $platform } n'a pas pu être lu. Ce qui manque ici n'a pas forcément disparu.

# Consultations
consultations-title = Consultations
consultations-count = { $n ->
    [0] Aucune consultation de { $city } n'est publiée.
    [one] { $n } consultation de { $city }, la plus récente d'abord.
   *[other] { $n } consultations de { $city }, les plus récentes d'abord.
 }
consultations-none = Aucune consultation publiée pour l'instant.
consultation-about = De quoi s'agit-il
consultation-answers = { $n ->
    [0] Ce que la ville a répondu
   *[other] Ce que la ville a répondu ({ $n })
 }
consultation-contributions = { $n ->
    [0] Contributions
   *[other] Contributions ({ $n })
 }
consultation-discussion = Discussion générale
all-answers = Toutes les réponses officielles
all-contributions = Toutes les contributions
contributions-title = Contributions à « { $name } »
contributions-count = { $n ->
    [0] Aucune contribution publiée.
    [one] { $n } contribution publiée par { $city }.
   *[other] { $n } contributions publiées par { $city }, les plus récentes d'abord.
 }
contributions-none = Aucune contribution publiée pour l'instant.
responses-title = Réponses officielles dans « { $name } »
responses-count = { $n ->
    [0] Aucune réponse officielle publiée.
    [one] { $n } réponse officielle de { $city }.
   *[other] { $n } réponses officielles de { $city }, les plus récentes d'abord.
 }
phases = Étapes
topics = Questions et rubriques
take-part = Participer sur { $host }
see-platform = Voir sur { $host }

# Contribution
in-consultation = dans { $name }
on-record = À propos de { $name }
amends = amende une autre contribution
place = Lieu
themes = Thèmes
coordinates = { $north }° nord, { $east }° est (à 10 m près)
answer-of = Réponse officielle de { $city }
answer-none = Pas encore de réponse officielle
answer-page = Page de cette réponse
answer-revision = Répond à la version { $a } ; version actuelle : { $b }
treatment = Suite donnée par la collectivité
treatment-merged = La contribution dans laquelle elle a été fusionnée
treatment-page = Page de cette suite
discussion = Discussion
discussion-none = Aucun commentaire publié.
side-for = Pour ({ $n })
side-against = Contre ({ $n })
side-other = Autres avis ({ $n })
side-gone = Commentaires supprimés ({ $n })
side-for-here = Pour ({ $n } sur cette page)
side-against-here = Contre ({ $n } sur cette page)
side-other-here = Autres avis ({ $n } sur cette page)
side-gone-here = Commentaires supprimés ({ $n } sur cette page)
side-none = Aucun.
comment-page = Page de ce commentaire
comment-deleted = Commentaire supprimé
comment-hidden = Commentaire masqué
comment-withdrawn = Commentaire retiré par son auteur
thread-deeper = Voir la suite
replies = Réponses
relations = Contexte
relation-reply-to = En réponse à
relation-subject = Contribution concernée
relation-answers = Répond à
relation-process = Consultation
relation-merged = Fusionnée dans
relation-not-here = pas encore reçu ici
fedi-note = Les réponses du Fediverse ne sont ni affichées ni comptées.

# Rencontres, projets, réalisations, documents
consultation-results = Ce qui a été fait ({ $n })
consultation-projects = Projets ({ $n })
consultation-meetings = Rencontres ({ $n })
consultation-documents = Tous les documents de cette consultation ({ $n })
all-results = Toutes les réalisations
all-projects = Tous les projets
all-meetings = Toutes les rencontres
results-title = Réalisations de « { $name } »
results-count = { $n ->
    [0] Aucune réalisation publiée.
    [one] { $n } réalisation publiée par { $city }.
   *[other] { $n } réalisations publiées par { $city }, les plus récentes d'abord.
 }
results-none = Aucune réalisation publiée.
projects-title = Projets de « { $name } »
projects-count = { $n ->
    [0] Aucun projet publié.
    [one] { $n } projet publié par { $city }.
   *[other] { $n } projets publiés par { $city }, les plus récents d'abord.
 }
projects-none = Aucun projet publié.
meetings-title = Rencontres de « { $name } »
meetings-count = { $n ->
    [0] Aucune rencontre publiée.
    [one] { $n } rencontre publiée par { $city }.
   *[other] { $n } rencontres publiées par { $city }, les plus récentes d'abord.
 }
meetings-none = Aucune rencontre publiée.
documents-title = Documents de « { $name } »
documents-count = { $n ->
    [0] Aucun document publié.
    [one] { $n } document publié par { $city }.
   *[other] { $n } documents publiés par { $city }, les plus récents d'abord.
 }
documents-none = Aucun document publié.
documents = Documents
document-open = Ouvrir le document
document-at = Ouvrir le fichier chez { $city }
document-data = données
document-kind = Nature
document-type = Format
document-size = Taille
meeting-from-to = { $from }, jusqu'à { $to }
meeting-online = En ligne
meeting-kind = Forme
meeting-capacity = Places
meeting-attendance = Participants
meeting-agenda = Ordre du jour
meeting-minutes = Compte rendu
project-estimated = Coût estimé : <strong>{ $amount }</strong>
project-awarded = Somme attribuée : <strong>{ $amount }</strong>
project-final = Coût final : <strong>{ $amount }</strong>
project-final-term = Coût final
project-feasibility = Faisabilité
project-rivals = Incompatible avec
project-rival = un autre projet
result-starts = Début
result-due = Échéance
result-evidence = Justificatifs
progress-known = Avancement : { $percent }
progress-unknown = Avancement non renseigné
section-origin = À l'origine
section-progress = Avancement
section-parts = Parties de cette réalisation
section-news-of = À propos de
section-attached = Joint à

# Sondages, décisions, engagements
consultation-decisions = Décisions ({ $n })
consultation-commitments = Engagements ({ $n })
consultation-polls = Sondages ({ $n })
all-decisions = Toutes les décisions
all-commitments = Tous les engagements
all-polls = Tous les sondages
decisions-title = Décisions sur « { $name } »
decisions-count = { $n ->
    [0] Aucune décision publiée.
    [one] { $n } décision publiée par { $city }.
   *[other] { $n } décisions publiées par { $city }, les plus récentes d'abord.
 }
decisions-none = Aucune décision publiée.
polls-title = Sondages de « { $name } »
polls-count = { $n ->
    [0] Aucun sondage publié.
    [one] { $n } sondage publié par { $city }.
   *[other] { $n } sondages publiés par { $city }, les plus récents d'abord.
 }
polls-none = Aucun sondage publié.
commitments-title = Engagements sur « { $name } »
commitments-count = { $n ->
    [0] Aucun engagement publié.
    [one] { $n } engagement publié par { $city }.
   *[other] { $n } engagements publiés par { $city }, les plus récents d'abord.
 }
commitments-none = Aucun engagement publié pour l'instant.
commitments-lead = Ce que la ville et ses partenaires se sont engagés à faire, pour quand, et où cela en est. Une échéance reportée reste affichée, à côté de la nouvelle, sur la page de l'engagement.
commitments-of = Engagements de { $city }
commitments-among = Parmi les { $n } engagements les plus récents :
commitments-state = { $state } : { $n }
commitments-more = { $n ->
    [one] { $n } engagement plus ancien n'est pas affiché ici.
   *[other] { $n } engagements plus anciens ne sont pas affichés ici.
 }
commitments-table = Engagements, ceux qui arrivent à échéance d'abord
commitments-promise = Engagement
commitments-role = Responsable
commitments-due = Échéance
commitments-where = État
commitments-progress = Avancement
commitment-by-before = { $role } s'y engage, échéance le { $day }
commitment-by = { $role } s'y engage
commitment-before = Échéance le { $day }
commitment-budget = Budget
commitment-indicator = Indicateur
commitment-target = Valeur visée
due-moved = Échéance reportée du { $from } au { $to }.
poll-options = { $n ->
    [one] { $n } choix possible
   *[other] { $n } choix possibles
 }
counted-day = nombres relevés le { $day }
poll-counted = Nombres relevés le { $day }
poll-table = Résultats du sondage
poll-option = Choix
poll-chosen = Nombre de voix
poll-ends = Fin du vote
poll-method = Mode de vote
poll-electorate = Personnes appelées à voter
poll-threshold = Nombres publiés à partir de
decision-by-on = Décision prise le { $day } par : { $organ }
decision-on = Décision du { $day }
decision-by = Décision prise par : { $organ }
decision-number = Numéro
decision-votes-for = Voix pour
decision-votes-against = Voix contre
decision-abstentions = Abstentions
decision-text = Texte officiel
decision-basis = Fondement juridique
section-promises = Engagements
section-next = Ensuite

# Pied de fiche
facts = Données et preuve
facts-address = Adresse permanente
facts-data = Données
facts-revision = Révision
facts-digest = Empreinte
facts-source = Source
facts-read = Lu le
facts-licence = Licence
facts-rights = Exercer ses droits

# Versions
versions = Versions
versions-title = Versions de « { $name } »
version-name = Version { $n }
version-see = version { $n } (voir les changements)
versions-count = { $n ->
    [one] { $n } version publiée.
   *[other] { $n } versions publiées, la plus récente d'abord.
 }
versions-silent = { $n ->
    [one] { $n } autre révision signée n'a changé que des nombres ou la date de lecture.
   *[other] { $n } autres révisions signées n'ont changé que des nombres ou la date de lecture.
 }
versions-explained = Chaque révision est signée par la ville. Un texte masqué, retiré ou supprimé est effacé de toutes ses versions : il en reste l'empreinte et la date.
revision-title = Version { $n } de « { $name } » (révision { $revision })
revision-first = première publication
revision-shown-again = de nouveau publiée
revision-erased = texte effacé
revision-erased-notice = Le texte de cette version est effacé. Il en reste l'empreinte et la date.
revision-before-erased = La version précédente est effacée : rien ne peut être comparé.
revision-silent = Le texte est celui de la version : seuls des nombres ou la date de lecture ont changé.
revision-too-long = Le texte est trop long pour être comparé mot à mot.
revision-changes = Ce qui a changé
revision-whole = Texte complet
change-title = titre
change-text = texte
change-themes = thèmes
change-place = lieu
change-topic = question
change-state = état
change-author = auteur
change-counts = nombres ou date de lecture
change-title-heading = Titre
change-text-heading = Texte
diff-added = ajout
diff-removed = suppression
diff-end = fin
facts-previous = Empreinte précédente
facts-versions = toutes les versions

# Masqué, supprimé
title-absent = { $what } ({ $city }, { $day })
hidden-consultation = Cette consultation est masquée
hidden-contribution = Cette contribution est masquée
hidden-argument = Cet argument est masqué
hidden-comment = Ce commentaire est masqué
hidden-disposition = Cette suite est masquée
hidden-officialresponse = Cette réponse est masquée
hidden-meeting = Cette rencontre est masquée
hidden-budgetproject = Ce projet est masqué
hidden-result = Cette réalisation est masquée
hidden-progressupdate = Ce point d'avancement est masqué
hidden-document = Ce document est masqué
hidden-poll = Ce sondage est masqué
hidden-decision = Cette décision est masquée
hidden-commitment = Cet engagement est masqué
hidden-by = Contenu masqué par { $city }.
hidden-here = Contenu masqué par { $city } : { $why }.
hidden-explained = Il existe toujours ; ni son titre, ni son auteur, ni son texte ne sont publiés tant que la ville d'origine le retient.
hidden-json = La révision masquée (JSON)
deleted-consultation = Cette consultation a été supprimée
deleted-contribution = Cette contribution a été supprimée
deleted-argument = Cet argument a été supprimé
deleted-comment = Ce commentaire a été supprimé
deleted-disposition = Cette suite a été supprimée
deleted-officialresponse = Cette réponse a été supprimée
deleted-meeting = Cette rencontre a été supprimée
deleted-budgetproject = Ce projet a été supprimé
deleted-result = Cette réalisation a été supprimée
deleted-progressupdate = Ce point d'avancement a été supprimé
deleted-document = Ce document a été supprimé
deleted-poll = Ce sondage a été supprimé
deleted-decision = Cette décision a été supprimée
deleted-commitment = Cet engagement a été supprimé
deleted-day = Suppression par { $city } le { $day }. Ni le titre, ni l'auteur, ni le texte ne sont conservés.
copy-gone = La ville d'origine a rappelé ce contenu ; la copie est effacée ici.
deleted-undated = Suppression par { $city }. Ni le titre, ni l'auteur, ni le texte ne sont conservés.
purge-count = { $all ->
    [0] Aucune copie n'avait été transmise aux villes partenaires.
   *[other] Copies : { $done } sur { $all } effacées chez les partenaires, avec accusé signé.
 }

# Partenaires
partners-title = Villes partenaires
partners-lead = Avec qui { $city } échange des consultations, et ce qui a réellement été transmis.
partners-none = Aucune ville partenaire pour l'instant.
partners-table = Échanges par partenaire
partners-city = Partenaire
partners-kind = Nature
partners-since = Depuis
partners-sent = Envoyés, reçus là-bas
partners-received = Reçus, conservés ici
partners-rule = Un envoi ne compte que si le partenaire a répondu par un accusé de réception signé. Les nombres de deux villes ne sont jamais additionnés.
partner-title = Échanges avec { $city }
partner-kind-partner = ville partenaire
partner-kind-reader = serveur lecteur du Fediverse
partner-since = sur la liste depuis le { $day }
partner-last = dernier échange le { $when }
partner-connected = Liaison établie
partner-waiting = En attente
partner-blocked = Envois suspendus
partner-flows = Ce qui circule
flow-out = { $partner } suit { $city } : ce que { $city } publie lui est envoyé.
flow-out-none = { $partner } ne suit pas { $city } : rien ne lui est envoyé.
flow-in = { $city } suit { $partner } : ce que { $partner } publie est conservé ici en copie.
flow-in-pending = { $city } a demandé à suivre { $partner } ; la réponse est attendue.
flow-in-none = { $city } ne suit pas { $partner }.
partner-numbers = En nombres
partner-numbers-caption = Compte des contenus, d'après le registre des échanges
partner-what = Quoi
partner-how-many = Combien
ledger-sent = Envoyés
ledger-sent-means = le partenaire les détient ou peut les détenir
ledger-acknowledged = Confirmés
ledger-acknowledged-means = réception confirmée par un accusé signé
ledger-waiting = En attente
ledger-waiting-means = à envoyer, ou envoyés sans accusé
ledger-refused = Refusés ou mis de côté
ledger-refused-means = le partenaire a refusé, ou les essais ont cessé
ledger-recalled = Rappelés
ledger-recalled-means = suppression demandée au partenaire
ledger-purged = Effacés avec accusé
ledger-purged-means = effacement confirmé par un accusé signé ; sans accusé, rien n'est tenu pour effacé
ledger-open = Rappelés, effacement non prouvé
ledger-open-means = jusqu'à ce que le partenaire confirme l'effacement par une signature ; redemandé jusque-là
ledger-open-since = le plus ancien depuis le { $when } ; redemandé jusqu'à ce que l'effacement soit confirmé par une signature
ledger-received = Reçus et conservés ici
ledger-received-means = copies de contenus du partenaire
ledger-erased-here = Effacés ici
ledger-erased-here-means = rappelés par le partenaire, effacés par nous
partner-key = Identité vérifiée
partner-key-text = Clé épinglée lors de l'appairage ; les huit mots ou les seize chiffres se comparent au téléphone.
partner-words = Mots
partner-digits = Chiffres
partner-actor = Acteur

# Thème
theme-title = Thème : { $name }
theme-lead = Contenus récents de { $city } sur ce thème.
theme-same = Correspond à { $concept }

# Erreurs
error-title = Erreur : { $title }
error-number = Numéro à citer :
error-404-title = Cette adresse n'existe pas ici
error-404 = Le lien est peut-être incomplet, ou la page n'a jamais existé. Le plan du site mène à tout ce qui est publié.
error-405-title = Cette adresse ne se lit qu'en consultation
error-405 = La méthode employée n'est pas connue à cette adresse.
error-413-title = Envoi trop volumineux
error-413 = Cette adresse n'accepte pas un envoi de cette taille.
error-503-title = La réponse tarde trop
error-503 = La page n'a pas pu être préparée à temps. Réessayez dans dix secondes.
error-500-title = Une erreur de notre côté
error-500 = La page n'a pas pu être préparée. Ce n'est pas de votre fait ; si cela dure, écrivez-nous en citant le numéro.

# Accessibilité
a11y-title = Déclaration d'accessibilité
a11y-1 = { $city } s'engage à rendre ses sites accessibles, conformément à l'article 47 de la loi n° 2005-102 du 11 février 2005.
a11y-none-sentence = Ce site n'a pas encore fait l'objet d'un audit : il est non conforme au référentiel général d'amélioration de l'accessibilité (RGAA 4.1.2).
a11y-expired-sentence = Le dernier audit de ce site date du { $day }, il y a trois ans ou plus : il ne vaut plus. Le site est non conforme au référentiel général d'amélioration de l'accessibilité (RGAA 4.1.2).
a11y-audited-full = D'après l'audit du { $day }, ce site est totalement conforme au référentiel général d'amélioration de l'accessibilité (RGAA 4.1.2).
a11y-audited-partial = D'après l'audit du { $day }, ce site est partiellement conforme au référentiel général d'amélioration de l'accessibilité (RGAA 4.1.2).
a11y-audited-none = D'après l'audit du { $day }, ce site est non conforme au référentiel général d'amélioration de l'accessibilité (RGAA 4.1.2).
a11y-results = Résultats de l'audit et contenus non accessibles : { $report }
a11y-why = Pourquoi « non conforme »
a11y-2 = Seul un audit du site lui-même, de moins de trois ans, permet d'annoncer une autre mention.
a11y-3 = Ce qui est fait : pages lisibles sans script ni style, titres ordonnés, langue indiquée pour chaque texte, contrastes mesurés, parcours au clavier, zoom à 400 %.
a11y-report = Signaler une difficulté
a11y-4 = Si un contenu ou un service vous est inaccessible, écrivez-nous : { $contact }. Une réponse est due sous une semaine.
a11y-5 = L'information vous sera donnée sous une forme qui vous convient.
a11y-appeal = Voies de recours
a11y-6 = Sans réponse satisfaisante, vous pouvez saisir le Défenseur des droits (defenseurdesdroits.fr, ou par courrier gratuit : Libre réponse 71120, 75342 Paris CEDEX 07).

# Mentions légales
legal-title = Mentions légales
legal-publisher = Éditeur
legal-director = Direction de la publication
legal-address = Adresse
legal-telephone = Téléphone
legal-contact = Écrire
legal-host = Hébergement
legal-content = Contenus
legal-content-1 = Les contenus de { $city } sont publiés sous la licence indiquée au pied de chaque page.
legal-content-2 = Les copies de contenus d'autres villes portent le nom de leur origine, un lien vers l'original et sa licence.
legal-software = Logiciel
legal-software-1 = Ce site fonctionne avec Passerelle, logiciel libre sous licence GNU AGPL 3.0 ; son code est à un lien de chaque page.

# Données personnelles
privacy-title = Données personnelles
privacy-1 = Responsable du traitement : { $city }. Base légale : mission d'intérêt public (RGPD, article 6-1-e).
privacy-visitors = Si vous lisez ce site
privacy-2 = Aucun cookie, aucune mesure d'audience, aucun appel à un autre site. L'adresse de votre connexion sert à vous répondre et n'est pas conservée dans les pages.
privacy-authors = Si vous avez contribué
privacy-3 = Votre nom n'est jamais lu ni transmis. Un pseudonyme, propre à chaque consultation, distingue les auteurs sans les nommer.
privacy-4 = Ce que la plateforme de la ville masque disparaît d'ici aussitôt ; ce qu'elle supprime y est effacé.
privacy-partners = Ce que reçoivent les villes partenaires
privacy-5 = Une copie de ce qui est public, jamais davantage. Elles doivent l'effacer quand { $city } le demande et répondre par un accusé signé.
privacy-6 = La page des villes partenaires dit combien de contenus ont été envoyés, rappelés et effacés.
privacy-rights = Vos droits
privacy-7 = Accès, rectification, effacement, opposition : { $contact }. Vous pouvez aussi saisir la CNIL (cnil.fr).

# Aide
help-title = Aide
help-1 = Ce site se lit sans compte. Pour participer, suivez le lien vers la plateforme de la ville qui organise la consultation.
help-copy = Qu'est-ce qu'une copie ?
help-copy-1 = Un contenu d'une ville partenaire, montré ici avec un bandeau violet « Copie ». L'original fait foi ; le bandeau y mène.
help-copy-2 = Une copie expire si la ville d'origine ne la confirme plus, et disparaît quand elle la rappelle.
help-hidden = Masqué, retiré, supprimé
help-hidden-1 = Masqué : la ville d'origine retient le contenu, qui peut revenir. Retiré : son auteur l'a repris, le titre reste.
help-hidden-2 = Supprimé : il ne reste que l'adresse et la date ; les villes partenaires doivent confirmer l'effacement de leurs copies.
help-counts = Pourquoi les nombres ne sont-ils pas additionnés ?
help-counts-1 = Chaque ville compte à sa façon et une même personne peut agir deux fois. Les nombres portent donc le nom de qui a compté et la date.
help-json = Les données
help-json-1 = Chaque fiche se lit aussi en JSON signé, par le lien « ActivityPub (JSON) » au pied de la page.
help-fediverse = Et le Fediverse ?
help-fediverse-1 = Un serveur du Fediverse inscrit par { $city } peut suivre ses publications.

# Contact
contact-title = Contact
contact-1 = Pour joindre { $city } au sujet de ce site :
contact-platforms = Au sujet d'une consultation
contact-platforms-1 = Les questions sur une consultation se posent sur la plateforme de la ville :
contact-a11y = Difficulté d'accès
contact-a11y-1 = Dites-nous la page, ce que vous cherchiez et le matériel que vous utilisez ; une réponse est due sous une semaine.

# Éco-conception
eco-title = Éco-conception
eco-1 = Limites que des tests automatiques font respecter sur les pages publiques, d'après le référentiel RGESN :
eco-requests = deux requêtes par page : la page et une feuille de style
eco-script = aucun script nécessaire, aucun script envoyé
eco-fonts = aucune police téléchargée
eco-css = feuille de style : 20 kilo-octets au plus, gardée en mémoire par le navigateur
eco-third = aucun appel à un autre site, aucun cookie
eco-cache = pages revalidées par empreinte : rien n'est renvoyé tant que rien n'a changé
eco-2 = Les autres critères du référentiel n'ont pas encore été évalués.

# Plan du site
sitemap-title = Plan du site
sitemap-read = Lire
sitemap-exchange = Échanges entre villes
sitemap-about = À propos du site
sitemap-machines = Pour les machines

# Code source
source-title = Code source
source-1 = Vous avez droit au code source de ce qui fonctionne ici (GNU AGPL, article 13).
source-archive = Archive
source-archive-words = le code source de ce programme tel qu'il fonctionne ici (tar, { $size } Mo)
source-repository = Dépôt
source-version = Version
source-commit = Révision exacte
source-commit-unknown = non inscrite dans cette construction
source-licence = Licence

# Vocabulaire
ns-title = Vocabulaire commun
ns-1 = Les mots par lesquels les villes décrivent leurs consultations, les mêmes chez toutes.
ns-2 = Contexte JSON-LD : { $context }. Les termes portent des noms permanents sous https://w3id.org/participation-vocab/ns#.
ns-classes = Classes

# Documents de l'échange
activity-title = Activité envoyée
activity-lead = Ce que cette passerelle a envoyé à un partenaire.
followers-title = Abonnés
followers-count = { $n ->
    [0] Aucun compte du Fediverse ne suit cette consultation en particulier.
    [one] { $n } compte du Fediverse suit cette consultation en particulier.
   *[other] { $n } comptes du Fediverse suivent cette consultation en particulier.
 }
followers-lead = Seul leur nombre est montré, jamais qui ils sont. Les comptes qui suivent toute la collectivité ne sont pas comptés ici.
followers-back = Retour à la consultation
receipt-title = Accusé signé
receipt-lead = Ce que cette passerelle a confirmé à un partenaire ; la signature se vérifie sans nous.
