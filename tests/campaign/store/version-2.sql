BEGIN TRANSACTION;
CREATE TABLE artifact (
	event BIGINT NOT NULL, 
	name TEXT NOT NULL, 
	sha256 TEXT NOT NULL, 
	specimen TEXT NOT NULL, 
	proposal TEXT NOT NULL, 
	PRIMARY KEY (event)
);
INSERT INTO "artifact" VALUES(12,'x.xy','0000000000000000000000000000000000000000000000000000000000000000','P1','P1');
CREATE TABLE beat (fit TEXT NOT NULL PRIMARY KEY, at TEXT NOT NULL, stage TEXT NOT NULL, process TEXT NOT NULL);
CREATE TABLE event (number BIGINT NOT NULL PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, "by" TEXT NOT NULL, key TEXT NOT NULL UNIQUE, request TEXT NOT NULL, content TEXT NOT NULL, previous TEXT NOT NULL, digest TEXT NOT NULL);
INSERT INTO "event" VALUES(1,'2026-11-28T14:33:31.018915Z','created','ada','7c5a5dba60b847ed9f6386fdeee32a4d','b09490a828ec20e05721e8d0d43b0908ad677023ceb569e2d3d2483d19f4995d','{"name":"steel"}','0000000000000000000000000000000000000000000000000000000000000000','19fbe1cf63e103f0327520d39770a2bcb976550a13316205456a887d05fe7b80');
INSERT INTO "event" VALUES(2,'2026-11-28T14:33:31.026146Z','imported','','e72f0c22b40e43b9a325087d147455d0','a22c1cb4842545c9a8d3999900b9f75884a17207a9d4a45a238bd42213d3d45f','{"done":[],"file":"a.csv","name":"a","record":"r1","replaces":"","sheet":""}','19fbe1cf63e103f0327520d39770a2bcb976550a13316205456a887d05fe7b80','fef6252c2517348a4644ea52c429b7eff62b5830a27eeb11ccf38feb8d1b4522');
INSERT INTO "event" VALUES(3,'2026-11-28T14:33:31.033238Z','fit_started','','24fea910ec7a4afb91bb2187db522682','98786783d08adf4a0e96af9b272fc3c885bc3c2aa56bd2f11456c0fda2536f50','{"about":{"seed":0},"data":2,"fit":"f1"}','fef6252c2517348a4644ea52c429b7eff62b5830a27eeb11ccf38feb8d1b4522','3cdeee03cc5dc90e7a896d83d440a862d4c8ca344653577812b9d5e492ec0deb');
INSERT INTO "event" VALUES(4,'2026-11-28T14:33:31.038016Z','fit_ended','','8509fdc3c42a4eafbce55d45862570ec','6cb83cecbc07f5e5d356a676bdb755a09120062438e3fab28f612bb03ae6b8f0','{"fit":"f1","outcome":{"verdict":"green"},"posterior":"p1","state":"done"}','3cdeee03cc5dc90e7a896d83d440a862d4c8ca344653577812b9d5e492ec0deb','27d22666d43f3d49b79feafb98a3d74c2b6433e8d096d48e0d826a7065736cac');
INSERT INTO "event" VALUES(5,'2026-11-28T14:33:31.042579Z','proposed','','ask-1','a33ce8e2b83b80d37e34b47c11fa5d44609117c405ef4964f2b47eb07400972e','{"attrs":{"temperature":{"units":"degC"}},"proposals":[{"about":{},"design":{"temperature":700.0},"instrument":"","measures":"","name":"P1","place":"P1"},{"about":{},"design":{"temperature":701.0},"instrument":"","measures":"","name":"P2","place":"P2"},{"about":{},"design":{"temperature":702.0},"instrument":"","measures":"","name":"P3","place":"P3"}]}','27d22666d43f3d49b79feafb98a3d74c2b6433e8d096d48e0d826a7065736cac','4ccad2070f0a1b33dffc0a650e56653cb4768f0956c7575fad44864b4002bc60');
INSERT INTO "event" VALUES(6,'2026-11-28T14:33:31.054090Z','claimed','','8493daf4e6cd4b1aa6f2f893e3e0dfe2','d5f98bac06df05d8583c8749533a64ed0a02f31086945db7c2ae5ec33c80333e','{"claimed_by":"robot","lease_until":"2026-01-01T00:00:00.000000Z","proposal":"P1"}','4ccad2070f0a1b33dffc0a650e56653cb4768f0956c7575fad44864b4002bc60','ac46b5870f6e81a9541a36b326246dcdfcf42a9392dd87dee736dbc06fd473f1');
INSERT INTO "event" VALUES(7,'2026-11-28T14:33:31.057935Z','renewed','','6d1bbe55b93840a5964e1b126ceeef24','20a3cae84d8d5e6f4712f31ad6622188386d87a28ad6ada9937fbc266ed00720','{"lease_until":"2026-01-02","proposal":"P1","state":"running"}','ac46b5870f6e81a9541a36b326246dcdfcf42a9392dd87dee736dbc06fd473f1','1704b298cc93559954c7cbac13ed87aad492848a9ddaf63c049cf3aec7190afb');
INSERT INTO "event" VALUES(8,'2026-11-28T14:33:31.066170Z','told','','tell-1','bb3c6cd1e511df4cba685c97769edd3270e3a519afaac849e91c7eb332031262','{"asked":{},"attrs":{"temperature":{"units":"degC"}},"made":{"temperature":701.0},"proposal":"P1","results":[{"flag":"ok","label":null,"property":"hardness","sd":null,"unit":"GPa","value":5.0}],"specimen":"P1","state":"done"}','1704b298cc93559954c7cbac13ed87aad492848a9ddaf63c049cf3aec7190afb','39bdbdeec82e238b7987abfefb231c9d801e984a5495b51f96b011e5f4c62580');
INSERT INTO "event" VALUES(9,'2026-11-28T14:33:31.073909Z','claimed','','ae46354d16334651a2c42e86d2747d22','0b6863e13940823804ba6675a3f9378b5614bc6c2b81de8d08eeee95f60d6d93','{"claimed_by":"robot","lease_until":"2026-01-01T00:00:00.000000Z","proposal":"P2"}','39bdbdeec82e238b7987abfefb231c9d801e984a5495b51f96b011e5f4c62580','c6ed5e060b7401b8378b30512506585151fd3cf6690f6620f66d937e0be157f3');
INSERT INTO "event" VALUES(10,'2026-11-28T14:33:31.077854Z','moved','','336fcdcd709e474cab275210da529ac5','bfd6922cdb0277cc1355c3bd84f04e94cd693b6ed8bb2e94ecf70822bd0e362a','{"proposals":["P2"],"state":"failed","why":"cracked"}','c6ed5e060b7401b8378b30512506585151fd3cf6690f6620f66d937e0be157f3','d09657834214bf86c1b1615d37dcc1fdd6a1e413766ab3f41bde564826d2f121');
INSERT INTO "event" VALUES(11,'2026-11-28T14:33:31.081796Z','moved','','ba2883397aa2493f971457ec6a36afef','935d00e79a02f1b8673e550fb0161e3836a12f8884d34b89370e9dddfcefc127','{"proposals":["P3"],"state":"abandoned","why":""}','d09657834214bf86c1b1615d37dcc1fdd6a1e413766ab3f41bde564826d2f121','a43f503b0aae34d29223d14b408d9f7f8707832b2ddc1044d6502bd0d5eed3ec');
INSERT INTO "event" VALUES(12,'2026-11-28T14:33:31.085783Z','attached','','53018d8724f546cc8dbecede270b090a','748c0ff97791e774a77d584d36662b8affaee19585b2fcecc6868c8f6e94303a','{"name":"x.xy","proposal":"P1","sha256":"0000000000000000000000000000000000000000000000000000000000000000","specimen":"P1"}','a43f503b0aae34d29223d14b408d9f7f8707832b2ddc1044d6502bd0d5eed3ec','fbed2f7a09004b6b2c280e91b752661d0d5a82b291b3981fe0bf5d8f064090cd');
INSERT INTO "event" VALUES(13,'2026-11-28T14:33:31.089807Z','told','','f78e1f75f6fa4551bae403052b4bf555','e44adb12642b661d55ee68bbd10c99299725d1f95282a28bada4c8ec90d9e328','{"asked":{},"attrs":{"temperature":{"units":"degC"}},"made":{"temperature":701.0},"proposal":"","results":[{"flag":"ok","label":null,"property":"hardness","sd":null,"unit":"GPa","value":99.0}],"specimen":"P9","state":""}','fbed2f7a09004b6b2c280e91b752661d0d5a82b291b3981fe0bf5d8f064090cd','64e37b04563044aaefb0be22f7626c2f9b3d7cff5046e15a2f0de41256ca3ec1');
INSERT INTO "event" VALUES(14,'2026-11-28T14:33:31.093751Z','undone','','2426ebcadf794c278cee5d0ca65432f5','18fbe2e4fe922e7801ea011d2e3e3d7b7e0ee69b2632e545154ce6698b7eb716','{"changes_data":true,"event":13,"record":null,"why":"a slip"}','64e37b04563044aaefb0be22f7626c2f9b3d7cff5046e15a2f0de41256ca3ec1','2f94ad404099c139883d2f17b110e8d4e61108fffc5ea90638d5d3bd5a7c9e9f');
INSERT INTO "event" VALUES(15,'2026-11-28T14:33:31.105883Z','imported','','15bdcfcf6cd34ef18146e6c91ce5600f','9d5f17f18b8f7a63b2a564e3056508716f5b25e6f2a5eb3d974776c7bbf68cf6','{"done":["P2"],"file":"b.csv","name":"b","record":"r2","replaces":"","sheet":""}','2f94ad404099c139883d2f17b110e8d4e61108fffc5ea90638d5d3bd5a7c9e9f','ef1418a95ba76c060135a76298973dc033ebb31e4b703ef81e2b4b0f0115817c');
CREATE TABLE fact (
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "fact" VALUES('record','r2');
INSERT INTO "fact" VALUES('data','15');
CREATE TABLE fit (
	name TEXT NOT NULL, 
	event BIGINT NOT NULL, 
	state TEXT NOT NULL, 
	started TEXT NOT NULL, 
	ended TEXT NOT NULL, 
	data BIGINT NOT NULL, 
	about TEXT NOT NULL, 
	posterior TEXT NOT NULL, 
	outcome TEXT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "fit" VALUES('f1',3,'done','2026-11-28T14:33:31.033238Z','2026-11-28T14:33:31.038016Z',2,'{"seed": 0}','p1','{"verdict": "green"}');
CREATE TABLE import (
	name TEXT NOT NULL, 
	position BIGINT NOT NULL, 
	file TEXT NOT NULL, 
	sheet TEXT NOT NULL, 
	event BIGINT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "import" VALUES('a',2,'a.csv','',2);
INSERT INTO "import" VALUES('b',15,'b.csv','',15);
CREATE TABLE measurement (
	event BIGINT NOT NULL, 
	line INTEGER NOT NULL, 
	specimen TEXT NOT NULL, 
	proposal TEXT NOT NULL, 
	property TEXT NOT NULL, 
	value DOUBLE, 
	label TEXT, 
	sd DOUBLE, 
	flag TEXT NOT NULL, 
	unit TEXT, 
	at TEXT NOT NULL, 
	PRIMARY KEY (event, line)
);
INSERT INTO "measurement" VALUES(8,0,'P1','P1','hardness',5.0,NULL,NULL,'ok','GPa','2026-11-28T14:33:31.066170Z');
CREATE TABLE proposal (
	name TEXT NOT NULL, 
	event BIGINT NOT NULL, 
	line INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	place TEXT NOT NULL, 
	measures TEXT NOT NULL, 
	instrument TEXT NOT NULL, 
	design TEXT NOT NULL, 
	attrs TEXT NOT NULL, 
	about TEXT NOT NULL, 
	claimed_by TEXT NOT NULL, 
	lease_until TEXT NOT NULL, 
	changed BIGINT NOT NULL, 
	why TEXT NOT NULL, 
	PRIMARY KEY (name), 
	UNIQUE (event, line)
);
INSERT INTO "proposal" VALUES('P1',5,0,'done','P1','','','{"temperature": 700.0}','{"temperature": {"units": "degC"}}','{}','robot','',8,'');
INSERT INTO "proposal" VALUES('P2',5,1,'done','P2','','','{"temperature": 701.0}','{"temperature": {"units": "degC"}}','{}','robot','',15,'cracked');
INSERT INTO "proposal" VALUES('P3',5,2,'abandoned','P3','','','{"temperature": 702.0}','{"temperature": {"units": "degC"}}','{}','','',11,'');
CREATE TABLE specimen (
	name TEXT NOT NULL, 
	event BIGINT NOT NULL, 
	proposal TEXT NOT NULL, 
	asked TEXT NOT NULL, 
	made TEXT NOT NULL, 
	attrs TEXT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "specimen" VALUES('P1',8,'P1','{}','{"temperature": 701.0}','{"temperature": {"units": "degC"}}');
CREATE TABLE version (
	number INTEGER NOT NULL, 
	PRIMARY KEY (number)
);
INSERT INTO "version" VALUES(2);
CREATE TRIGGER event_refuses_update BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER event_refuses_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE UNIQUE INDEX one_live_proposal ON proposal (place, measures) WHERE state IN ('proposed', 'claimed', 'running');
CREATE INDEX by_state ON proposal (state, instrument);
COMMIT;
