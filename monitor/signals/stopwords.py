"""Words that never decide a topic by themselves, English and German."""

_ENGLISH = """
a about across after again against all almost already also although always am among an and another any are around as
at away back be became because become becomes been before behind being below between both but by came can cannot could
did do does doing done down during each else ever every everyone far few for from further gave get gets getting give
gives given giving go goes going gone got had has have having he her here hers him his how however i if in instead
into is it its itself just keep keeps kept last later least let lets like made make makes making many may maybe me
might more most much must my near never next no nobody none nor not nothing now of off often on once only onto or
other others our out over own per perhaps put puts quite rather really same see seen several she should since so some
something soon still such take taken takes than that the their them themselves then there these they thing things this
those though through thus to today together too took toward towards under until up upon us use used uses using very
via want wants was way we week well went were what whatever when where whether which while who whom whose why will
with within without would year years yet you your add added adds announce announced announces ask asked asks call
called calls claim claimed claims explain explained explains mean means note noted notes report reported reportedly
reports say saying says said show showed shows tell tells told think thinks try write writes wrote
"""
_GERMAN = """
ab aber alle allem allen aller alles als also am an andere anderem anderen anderer anderes anders auch auf aus außer
bald bei beide beiden beim bereits besser bis bisher bleibe bleiben bleibt brauche brauchen braucht da dabei dafür
dagegen daher damit danach dann daran darauf darf darin darüber darunter das dass davon dazu dem den denen denn
dennoch der deren derzeit des deshalb dessen die dies diese diesem diesen dieser dieses doch dort du durch dürfen
dürfte eher eigene eigenen ein eine einem einen einer eines einige einigen einmal er erst erste ersten es etwa etwas
für ganz gar geben gegen gegenüber geht gewesen gibt gut habe haben hat hatte hatten hätte her heute hier hin hinter
höchstens ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im immer in indem ins ist ja jahr jahre jahren jede jedem jeden
jeder jedes jedoch jener jetzt kann kaum kein keine keinem keinen keiner kommen kommt können könnte könnten künftig
lang lange lassen lässt laut machen macht man mehr mehrere meist mich mir mit mittlerweile möchte muss müssen müsse
müssten nach nachdem nächste nächsten nahezu neben nicht nichts noch nun nur nutzen nutzt ob oben oder oft ohne rund
schon sehr sei seien sein seine seinem seinen seiner seit selbst sich sie siehe sind so sobald sodass sogar solche
solchen soll sollen sollte sollten somit sondern sonst soviel sowie statt stehen steht stets trotz über überhaupt um
und uns unser unsere unter viel viele vielen vieler vom von vor vorerst während war waren warum was wegen weil weit
weitere weiteren weiterer weiter weiterhin welche welcher wenig weniger wenn wer werde werden wie wieder will wir wird
wo woche wochen wohl wollen worden wurde wurden würde würden zu zudem zufolge zuletzt zum zur zurück zuvor zwar
zwischen erklärt erklärte heißt hieß meint meinte melden meldet sagt sagte sagten schreibt schrieb teilte zeigen zeigt
"""

STOPWORDS = frozenset((_ENGLISH + _GERMAN).split())
"""Articles, pronouns, prepositions, auxiliaries, and verbs that only say that somebody says something."""

_EVERYWHERE = """
ai ki a.i. k.i. ai's new newest neu neue neuem neuen neuer neues company companies firm firms unternehmen firma firmen
"""
EVERYWHERE = frozenset(_EVERYWHERE.split())
"""Words of nearly every item: they may stand in a phrase, but say nothing alone."""
