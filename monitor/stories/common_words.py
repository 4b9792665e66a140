"""How common words are in AI news: stems by the least number of items, out of ITEMS, that say them.

Written by ``python -m monitor.training.story_words``; not to be edited. A band holds words up to twice as common.
"""

ITEMS = 8224
COMMON = {
    4: """
120b 1b 1bn 2nm 32b 500m a100 abend abgab ability ablatio ablauf abschre absicht abstimm absturz activ activat ad
admit adversa aerospa age agentic agentur ages ago ai5 aime akte alert alexa alignme allgeme allianz along aloud amt
analys anchor angel angreif anklag anordnu anruf anyth anyway apollo apology approxi arabi arabisc arbeitg arc arista
arms articl artikel artist arzt asid asie asus aufgeno ausgeli auskomm ausreis aussert ausstos austria autobau backer
backup bad badg baltic bandbre barcelo barclay bat baustop beamt bearbei bedient befand befurch begi begu behande beid
beliebt bemange benefit benioff benotig beobach berechn bernste beruf beruft beschei beschli besid besonde besteh bet
betrag betrug bewerbu bewert biet bilderk billigt biologi bitkom blackst blink blog bloombe bmw bode booking bottlen
bremst bridgew brill broadca brought bugs bundesr burg burgerm busy butto byd cabinet callcen camp cancel candida cap
caps carnegi carolin cashflo certifi chain channel charity cheat chengdu chicago chil chos christm circuit cisco
citatio cloudan coatu coin colleag colleg compact concret conflue congres consist cook copi cortex crawl crescen
critic critica crowd csv cxmt danc datenba dead deadlin debatt debugg declar definit degre deliv delta denmark departu
deploy deposit deputy designe detect detecto dezemb diebsta disrupt distrib distric dock doktora don drew drug duke
durchsu duv dynamic eats echt effort eis el elsewhe embedd embeddi encod englisc erde erfahru erfasst erfind erinner
ermittl ernennt erpress ersparn erzahl erzeug event exce except exclud exempt exklusi expir explain explana exportr
exports expos extensi fabs failur fallig familia familie fan fault fee feel feiert feintun fermi fern fertigt festiva
fetch fifte filed filial finally fined fintech firefox firmeng fix fixe flaggsc flaw flieg floss flughaf flugzeu fly
folgt fondsma ford fourte frank fraunho freitag freiwil frist frugal fullt functio furchte g7 gang gastbei gate
gateway geander gebe gebuhr gedicht gefahrl gefecht geferti gefio gefuhrt gehaus geheim gelosch generie genf gerucht
gesamt geschei geschut gesperr gesteue gestieg gestric getty ghost gift glaubt goal grafik great grossre grosste
grundla grundwa h100s halluci halluzi handwer harvard haufig hbm4 heart hinterl hinzu hochlei hofft honest horizo
hotlin hpe human humanit hurt hyperio identic ihre immersi incom increas indiana inflati influen infosy inquiry
insgesa insider instrum interpr invento ironwoo itali jack jahrzeh jail jakarta jamm jamnaga jane japanis jeffery
jersey jetso jevon jeweil joke jose joul json kabinet kalend kanadis kanzlei kappt karp kasachs kenia kioxia kkr
klausel kling knackt kommun komprim konditi konfere konto kopiert koreani kraft kranken kritisi kundigu kupf kurzt
kyiv laborat lago landwir langst larm latent latest lawsuit lays leader lectur leist leit leitet length lesson liedtex
liked ling lip living lizenzi locatio lockt log logic london loscht loudou love lowest lubbena m5 madrid mainten manch
manhatt maratho marketp markier marvell mass masssta mate mayor mehrer memb mention merced merk messung metal mgx
mi355x michael middl mietpre mile mine mining minneso mittel mix modelle modern monitor montrea moody mps multive
mumbai munitio nachmit nadella nairobi narrow narvik nas nativ negativ netherl netzans netztei neurip newspap nexperi
nobel non nordkor norm normal norwege note notiert notio nutzerd oberfla oktob olmo opendes opt optimie optio optisch
ordn osaka otherwi outsour overhea overlap overtak owns pace pakista panth paragra passpor path peter petitio philipp
physici pile platzie pleas plotzli poach politik polnisc portfol positiv praktik precisi preferr premi prepaid press
prim princ prior privata propert proposa protei prov proxy prozes psychol puzzl quellof quickly quietly radar rahmenv
rapidu rare rasch ratio reaktor realty rebelli rebuild rechena recherc rechner recordi recover reddit reducti redunda
reis relat relief rendit renewal renn replace replika restruc retriev reuter reviewe reviv rezept riad richtet ride
risc risik river rome ross rotterd roughly rugt ruling rustet sach salary sambano satz schad scharf schiess schlank
schluck schlus schrank schuler schult sechste sector seller senior senk sequenc serverr settlem shap sheet shelv
shield shopper sicher sichert sichtba sieg signatu silica sinkend sits sixte sixty skalier skeptis skipp slightl soar
sofer softmax solang solar soldier song spanisc spielze staatsa stall stapel statist stattde stepfu steuerb stil
stockt storm strombe strompr stuttga stutzpu styl summit sums swarm synopsy szen tablet tale tast taxi tea tear teen
televis temu tend terabyt termi thai theft theory thresho tie tief ties tipp titl ton tone toolmak townshi traf transf
transit treat treaty treff tret tschech tu tubing tun turbo turkish turnov uberarb uberneh uberwac ubrig umbau umfang
umgang unterha unterla upcycl ursach urteil utah utilisa vanish vantag vector veo verabsc verantw verdach verdict
verdran vergeb vergess verify verlegt verletz verscho verschu verspat verspra verspre vervier verweig verwy verzoge
veto vibe vice videoge videomo visitor vmwar vocabul vodafon volksre volkswa vorbild vorh vorhers vorlag vorlauf voter
vram vw waiv wandela want warning wartesc warteze wasserk wassers weapon wechat weder wednesd weibo weihnac weist
weiterb weiterg welcom wenfeng werf westlic wetterm wheel widersp winzig wire withdra wolfsbu wome workspa wors worst
wozu wu wuch wuha wyom yearly young zeitpla zentral zog zug zugelas zurecht zweiste
""",
    8: """
13b 14b 20b 30b 3b 4o 7b 8b abo abonnen abos abschi accel accentu accus acquir acre actio adapt additio addres ads
adverti advis affect africa afterno agenten agi ahnlich airlin airport akku aktiv alarm aleph allei allerdi alli allow
alltag alon alpha alterna alto amazon amsterd analysi andert anderun android anduril anfang angebli angefuh angriff
angst anhorun anleih annotat announc annuali ans anschlu ant antitru anwalt anwendu anwohn anzeig apach apertu apply
appoint approva arabic argumen arithme arizona arme art artific arxiv asking assembl asset associa atla attach attack
auctio auditor aufbau auflag aufprei aufruf ausblic ausfall ausgabe ausgeb auskunf auslast auslief ausnahm ausprob
ausrust ausschr ausschu ausserd ausserh aussich austi auswahl auswert averag aviv award axelera azur b200 backlog bahn
bain balanc band bandwid banker bann bar bars baselin basi bastl batteri baustei bauteil bayer beantra bedarf bedeute
bedrock beendet befragt bega beginn begrenz begriff behaupt beherrs behorde beispie beitrag bekam beleg beliefe believ
bell bench berat bereich berkele berlin bern beschra beschre beschwe bestand bestimm bewerb beyond bezahl bias bigg
biggest bilanz bilder bildgen bildmod bind bisheri bitt bittet black blackro blas blick blind bln blockad body bonn
bord borsenw bosch boss bosto box bracht brai branche branden brasili braucht brazil breach breit bricht broker
bruchte bruttom bubbl bug builder buildin bundesa bundesn bundess bundest bundl bureau burn bussgel buying byte
califor call cambrid campaig campuss canadia cancell canva capex care carri carry catch caterpi cell central ceo
certai chair chairma challen champio changel charact cheapes checkpo chefi ches child childr choic chrom cite citi
citing clara classif claus clock cloudfl cloudko club coder codex coffe cold collaps columni combin comet commit
commitm commo compani compara compari competi complet complia compres conditi confide confirm consent consol constru
contain content contest continu convert copp copy corn corpora cours cpp cpu cran crash crew crypto curb curv cutt
cyber dahint daily damag danemar danish dark dashboa databas databri datei datensa datenze dauert dax dear debat debut
decemb declin deep delawar delet demnach demo deni dens denselb depend depende deploym despit detail deutlic dgx
diagnos diary dicht diensta dieselb diff diploma direkt disappe discoun discus disput divisio doctor domesti donners
door doubt dram dream dreht dreimal dresd driver droh droht dropp druckt dubai dubli duoling durft duti dynamo earn
earning east edit educati effekt ehemali eigentl einfach eingab eingere einheit einkauf einrich einsetz einspar
einstie electio electro elektri elektro elevenl elon elter email embargo empfehl employ empty ended endlich endpoin
england english entdeck entfall entfern enthalt entlass entry entschu entstan enttaus epoch equal equinix equipme
equity era erfunde erhoht ericsso erklar erklaru erlaubt erlo erlos ermitte erni erricht ersetz erwagt erwart erwartu
erweite erzahlt erzeugt estland estonia etch etherne euv everyth evidenc ex exampl excel exchang exclusi exit expand
expensi experim exponen exporte extra eyes fab fach fachkra facilit fahr fahrgas fahrt faktor falco famili fand fans
farmer fassung februar feed fees fehlend fehlt fibr fiel field fight figma filing film filt filter final finanzm
finland finnish finnlan fire firefly firewor fiscal fit fits fixed flach flagshi fleet fliess fliesst floor flop
fluidst flussig flux fold food forest forget format formula fortsch forum forward foto foundat fp8 fractio fram
framewo franc frankre frau fraud freibur fremd friday friend ftc fuel fuhr fuhrung furcht fusio futur g42 galaxy
gallium gamer gap garanti gartn gasturb gb300 gddr7 ge gebaud gebaut gedacht gedanke geduld gefall gefalsc geforc
gefragt gehalt geheimd gehort gekoste geland gelernt gelt gema gemeind gemess gemiete genau geneva genug genugt
genutzt georgia gepruft geschic geschlo geschri gesells gesproc gestutz gesundh gesunk gewohnl gezahlt giant gigabyt
gigafab gigafac gipfel glasfas glass gleicha glossar golf governo gradien graduat grafikp granit grant graph grati
graz gree grenz grew grossen grosser grossku grun grunder grundet grundst gtc guarant guard guest gutacht gute haag
hack hacker haft hagu haiku handel handsch handwri hang hangt hard harvey heat heavy hedg heidelb heis helf helsink
herau hervorg hetzn hidd hide hielt hilft hindi hinweis hired histori history hochris hoff hohe holder hole holiday
hollywo hope hore hort hot hotel househo housto hp hsinchu hub humai hundr hundred hunyua hybrid hyundai iceland idea
illinoi indepen indisch indones infineo inhalt inner input instruc insur insuran inter interes intern interne invent
iowa ipo ireland irland island israel israeli issu italy jahrese jahresu jahrlic japanes jemand jet john joint journal
jpmorga july jungst juni junior jury k3 kabel kalifor kame kanada kapital karlsru kass kennt kennzei kenya kern key
keynot keys kiew kill kind kit klagt klar klarna klass klassis klei kleiner kletter klinik klug knot knowled koln
kommerz komplet kongres konn konsort konting kopf korrekt kostenl kraftwe kreditg krieg kritisc kuhlung kundend
kunstli kurszie labell labour lade ladt lag lager lahm lake landet las laser latenz lawmake laws lawy leaderb lean
lebe lecu leed lege lehnt lehr lehrkra leicht leiht leipzig leis leitung lend lese leser letzt lg li liang library
licht lieb lief liefer liefera lieferk liess life linear linguis lini linux lisa lisbo listen lite llms lmarena lobt
lock logisti logo lohn loop lora los lovabl luck luft lufthan luftwaf lunch lyon mac macbook macht macro mai maintai
mamba manila mann manufac map marg margin marin marz matrix matt matter mcp meant medical medium meeting mehrhei
meinung meldung memphi men menlo menschl menu merkt merz mess messag met meter metr mexico michiga mid midjour mietet
mietver migrati mimo minderj mindest minu missio mistak mitglie mitt mittels mittler mixed mode modul modular moglich
montag moor morator morn moskau moving multi multimo multipl munchn munich muon museum music must nachbar nachbor
nachric nachst nachtra nahe nahm namen nanomet nato natur naver navy negotia nehm neighbo nein nemotro nenn net
netflix neurona news niedrig niveau nm nois nokia nordisk norweg norwegi notig notiz nova novo npu nscal nuclear
number nurnber nurs nutzer nutzt nutzung obligat octob offnet oil okonom older olympia openrou operat opposit optic
optical optimis option orbit ordinar ordnet organis origina oslo oss osterre ottawa overnig owl owned oxford pack pact
pair paket palo paperwo papi papier paralle paris parliam pars party passt past patch patent patienc paying pcs
penalty pension permiss perso personl pflicht phas phi phoenix photo photogr physic physik pilotpr pin pixel plai
planung play plug poland pole polish polizei poll portal portuga pour practic prais prasent pre predece prefill prefix
premium present previou print priorit privacy priz proceed proces procure produc profess profil progres proof prosecu
prototy provide pump pupil purpos push pytorch quadrat quanten quantum quell query quick quiz quot quota qwen3 r1
rabatt race radio radiolo rand ranglis ratsel raum raumt ray re reactor reader ready reagier reaso receiv recip
recomme recruit red redakti reduc referen reflect refund regio regiona regist registe registr reich rein reject rekord
relianc remot render rental repair repeat reporte reposit reprase resell reserv reservi respond respons restart
restaur restor restric resum retail retaile retrain retur reus reward rheinme ring rising riyadh rl robotax robotic
robotik role russisc rust rustung ryze sabotag sachs safe sakana samt samtlic santa sarvam save saved saw scan scann
schaden schafft schalte schangh schatzu schick schickt schlag schlang schneid schrift schulun schutz schweig schwer
scienc scrap scre screen script seaso seattl secreta sectio secur sees sein self selt selten senat sensiti sent
sentenc separat sequoia service session sett setting shell shipp shopp shortag shrink shut signal siliziu similar
simpl sinkt siri sit sitz sitzt sitzung sixth sized skip sleep smartph smuggl snap snowfla social sofort soldat solv
somm son sonnet sorg sortier sound spacex spai spani spanish spark special specula spekula sperr spezial spin spitz
spok spotify spracha sprache spread spreads squeez stabl stadt stadtra stag stammt stanfor stanley star starkst
stateme statu steel stellen stellun stiftun stimmt stockho stoppt straf streite stretch stromve strong structu stuft
stunden stutzt su subsidi substat success sudkore sue sues sum summari summary sunday suno super supermi supervi surg
surpris surviv suspect suspend swapp swe swed swedish switzer sydney synthet taiwan taking tallin tamil tan tank tape
taught tauscht teacher technis teilt tel telecom telefo telefon tempera tempo tens tensor termin termina tester
thailan thank thin thirty thread threat thursda ticket tied tighten tiny tocht tokenpr tokio toronto touch tour tower
tpus trac trag tragt trainiu transpa travel treffer trennt trie tried trifft trip tritt truck tucso tune tuned turing
turkey twentie twenty uae uberbli uberflu uberhol uberpru uberras ubersch uberste ubertra ubertri uberzeu ublich uhr
ukraini umfasst umgerec umspann umstieg un unchang undercu underst uni union unterbi unterri untersa unveran upgrad
upload usag usual vega vera verande verband verbann verbess verbiet verdien verdrei vereinb verhalt verhang verkehr
verkurz verlag vernova verordn verpfli verrat verring verscha versche verschw version verstan verstec verstos versuch
verteue vertiv vertret verwend verzich vetera veteran victim viermal viert vierzig view visa volunte vorgese vorhab
vorjahr vorn vorschl vorstan voted wachs wachsen wachstu waff wage wagnisk wahl wahlt walmart wann ware warehou
warnung warsaw wartet wass watchdo weak wealth weis weiss well weltmod weltwei wertvol weshalb wester wett wettbew
whatsap whisp widen wiederh wien wies wikiped wind winn wint wiscons wissens wochene wofur workday workloa xi yann yen
yield zahlend zahlung zehnfac zehnmal zehntau zeil zentrum zero zone zoom zuckerb zuerst zugleic zugriff zuliefe zurch
zusag zusamm zusatzl zustand zustimm zuverla zwische
""",
    16: """
70b abgeord abgesch abhangi abilen abov abroad accord accurac adminis adob advanc advic agre agreeme ahead air aktiona
alphabe alter altma anbiete angebot anlag anleg anteil antrag anyon apologi appeal appli applica approv apps april
arbeite archite archiv argu army arriv ascend asia audio audit aufgab aufnahm aufsich august ausbau ausfuhr ausschl
austral ausverk author authori auto autonom autor autum availab ban bans base based battery bau baue beantwo beginnt
begleit begrund behalt bekannt belegsc bengalu bereit besser bestati besuch beteili betroff bevor bewerte bezahlt
bietet big bislang bitcoi bits blam blieb block blue bond boom borrow bors borseng bots bought branch brand break
brief britai britisc british brok brookfi buch bund bundesw buro cabl cambric camera campus canada capacit capital car
cars cash center cerebra chai chart chipent chipher chipmak choos city clas clerk climb clinic clon cluster co coher
collect command committ communi compil compute confere connect consult context convers copyrig core correct council
cruso cuda cursor decid decisio deepfak deepl deepmin default delay delhi deliver dell describ desk desktop destill
devic differe directo disagre disclos distill dividen documen dokumen doubao downloa draw drohn drohnen druck due
durchsa earli economi edge editor effect efficie effizie eigen einsatz einstel einzeln einzig emirat ends energi
energie engin engine enough enter enterpr entity entsche entsteh entwurf ergebni erkenn erkennt erledig erneut eroffne
error erschei ersetzt erst erstmal erwarte essay eth europai evaluat even exam exist exportk extend fabrik fachleu
factory fair fake fallt falsch family farm fear featur fed federal fertig fertigu fest fill financi finanzc findet
finish flag flat florida flott flow folg fond forc forder forsche forschu forty founder foundry fourth foxcon fp4
fragt francis frankfu franzos french front fruhjah funftel furs gab game gaming ganz gas gb gbyt gebrauc geldgeb gemma
genauig germany gesetz gesicht gewerks gewin gewinn gewinnt gilt ging github glm global gold goldma good grad graphic
groq gros grossbr ground growth grupp guidanc gulf h100 h20 h200 halbier halblei halv hamburg handy happen haushal
head health hebt heimisc held hels herbst hiring hit hits hoch hochsch hoher holt hong hongkon huma humanoi hynix ibm
idle import improv indi informa infrast inspect install insurer interna introdu invest investm invoic iphon iran item
jahr januar january jens job johor jump june kam kamera kapazit kartell kilomet knapp kommend komment kommiss kong
kont kontext kontrol kredit kritik kundigt kurs kurz kv label lage lambda lander landlor langsam largest late latency
laufend le leak lear leer legal lender lenovo lern lernt letter leut level licens liefert lieferu lies liest light
liquid littl load logs lokal louisia low lower mail main mal managem manager manu march margi mark markt materia math
mathema max measur media meet mein member memo merg method micro miner minimax minist miss mixtur mobil moe monday
monthly moonsho morga mostly moved munch nachfol nachfra nacht named nannt nano nasdaq nearly nebiu neith neoclou
netzbet netzwer neural newslet nie niemand night node north norway noteboo novemb numb offe offentl officer offlin
ollama ones onlin operati opinio opus outag outlook outsid owner panel parent park partn patient paus payment pc peak
pensio perform permit person pfund photoni pi pictur pilot pitch plac plattfo platz pledg plus polic pool port positio
praside predict preside pretrai prob problem prognos propos protect protest protoko provid prufung prun pull punkt
purchas pytho qualcom qualita quality quarter queu quiet ram ran rang rank raspber rat real recall recht recogni rede
refus region reicht remai remain remov reply report requir residen retir return richt right roboter roll room rubi
runn russia russlan safety sage salesfo sam sammelt sampl sanctio sank sanktio sap satelli saudi saving scheite
schicht schlagt schlech schluss schnitt schrump schul schuld schwach schwarz scienti seat secret seed seek sehe seit
semicon senator send sensor septemb seri serverf serverh serverp set sets settl setz seve shareho shift ship shipmen
shop side sieb sieht siemen silico simulat singapo singapu sink slid slip smart smic sora sort south spac spar spars
sparsam spat speak speed spent sperrt spiel spitzen split spot sprech staatli staatsf stabili stack stand standar
stargat stark startet startup steck steig steiger stieg stimm storag story strateg stream street streich strik stuck
studier such sucht suggest suit summ superco superin suppli supplie swap swis tabell tabl taipeh taipei tarif tariff
task tausend teach technic telekom tesla testet teur think thought through tier tiktok tokeniz tokyo top tops town tpu
track trader traffic transcr transla treasur treib trick trim tripl trotzde trust tsinghu tuesday tuning tutor twelv
ubernah uberset uk ukrain ultra umfrag unabhan unio unitre unser unterne unterst untersu unterze unveil urheber
utility v4 valley ventur verarbe verbind verbot verbund verfahr verfass verfugb vergang verhand verklag verlass verlor
verlust vermiet verschl versich versorg versteh verteid verteil vertrau vertrie verwalt verweis viertel vietnam
virgini visio visit vllm voll volum vorau vorgang vote wachst wafer walk wall warm warnt wart wartung watch water watt
weath web week weekend weekly weg weigh welt wenig werbung whit whol wichtig win wirbt wirft wirklic wirtsch wiss
wollt won word worker worksta world worry wort writ writt wrong xiaomi york zeigt zhipu zieh ziel zoll zugang zunachs
zuruckg zusamme zwanzig zweifel
""",
    32: """
abu acces acht agency algorit alte amd anfrag angab annual answ api arbeit arbeits arm asml auftrag ausgab ausland
automat aws back baidu batch baut beat behord bekomm bekommt benchma bericht berli best bestell betreib betrieb bett
bewertu bild billig binn bit blackwe bn book bot bring bringt broadco brows brussel built busines buy buyer buys
bytedan cach campu case charg check clear client clip clust coding comment commerc commiss compar complai consum
control cool copilot corewea count country county cover credit cuts dank datensc days deal debt decod defenc demand
departm desig design dhabi dienst diffusi doppelt draft dritt drittel driv dron drop dutch early eight electri elev
elf employe end ende energy erhalt erreich estimat europ europea executi fail fehl fell fewer fifth figur file financ
finanzi flash follow fordert forecas foreig free frei fronti fruh fruher fuhrt full funktio gain gehe geld gemeins
genehmi general geplant gerat gericht germa geschaf gesprac gewicht gigawat gleich grafikk grid grok grosst grow guid
gunstig gw halb halft hand handels handl hangzho haus hbm hear help herstel high hire hn hold home hospita host hous
huang hugg hundert hypersc imag includ index india industr ingenie insid institu intelli intervi inzwisc japa jobs
join judg kauf kauft kernel kimi klag know konkurr konzern korea labor labs lang laptop larg lauf lauft launch law
lawyer layer lead learn leas led left legt leistun lett lieg liegt lift limit link live lizenz llm loan local londo
lose loss lost malaysi manag market maschin match megawat meist mensch miet militar mini ministe mitarbe money move
musk mw nennt neun niederl nimmt notic officia ohio old operato oracl output packag page paid palanti pari part
partner pays pentago perplex persona pick plann platfor podcast point policy prei preis privat process produkt profit
project projekt promis prozess pruf pruft public quantis quartal reason rechenl rechnet rechnun record regel regieru
regulat releas replac request rest result review rise risk rose round rout rtx rund san scal schedul schlies school
schreib schritt schweiz scor search sekund senkt seoul shangha shenzh short singl size sk slow softban sold sourc
souvera soverei spart speech speiche sprach spricht spring staat stak standor stay steckt steigt step stock stop stopp
stor streit strom student studi studio study subscri supply support survey tag tage target tax tech technik technol
teil tenant tencent tenth term thousan trai trainin transfo trial trillio trump tsmc turbin turn twic ubernim untersc
updat valu valuati variant vendor verbrau verdopp verglei verlier veroffe verschi versio verspri vertrag voic wait
wechsel werk werkzeu wert window wins worth yuan zehn zehntel zeit zieht zurich zweit zwolf
""",
    64: """
acceler account act akti alibaba amazo amerika analyst anbiet answer antwort app appl assista assiste attenti beij
beschaf beschle bill billion board budget build card cent chang chat chatgpt cheap chef chinesi clos code come comput
contrac court custom cut date day deutsch develop digital doubl enginee entwick eu europa expect expert export face
fall find fine five form forsch found frag fund funf gemini generat governm gpt gross group grund halt hardwar hour
huawei intel investi investo je kart klein konzer kost kostet lab land languag leav less licenc line llama long look
machin memory ministr minut mistral monat month name nationa need network netz nine nutz offen offer offic paper pass
pay peking peopl percent phon plant post power pro product program prompt publish quart questio qwen rack rais rate
reach read rechn rent researc revenu rival robot rule run runs sale samsung sech second securit sell server servic
setzt sicherh sign site six small speich spend sprachm staff stell stellt stund switch taiwa talk ten texa text third
token tool trad trainie umsatz unit univers ups usa user verkauf verlang video vier warn weight work xai zahl zahlt
""",
    128: """
agent america anthrop bank centr chatbot chief chines claud cloud cost custome deepsee drei euro fast first four googl
gpu gpus half hall inferen kund list maker meta microso million one open order plan pric rechenz schnell serv shar
softwar stat system team test thre time toke train washing zwei
""",
    256: """
billio china data millio modell nvidia openai paramet prozent start two
""",
    512: """
chip dollar milliar model
""",
}
