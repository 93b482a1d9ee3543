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
CREATE TABLE event (number BIGINT NOT NULL PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, "by" TEXT NOT NULL, key TEXT NOT NULL UNIQUE, request TEXT NOT NULL, content TEXT NOT NULL, previous TEXT NOT NULL, digest TEXT NOT NULL);
INSERT INTO "event" VALUES(1,'2026-11-28T14:22:26.923858Z','created','ada','a8b05ef7006b4798855fd4070f3f8597','b09490a828ec20e05721e8d0d43b0908ad677023ceb569e2d3d2483d19f4995d','{"name":"steel"}','0000000000000000000000000000000000000000000000000000000000000000','b0e1b7b795a00ebb64e24cfe62759b4c117eae3aba59d70144468e2f2e3346f4');
INSERT INTO "event" VALUES(2,'2026-11-28T14:22:26.939637Z','imported','','79eecd660dfa40dd81a2dc0cf365dc93','a22c1cb4842545c9a8d3999900b9f75884a17207a9d4a45a238bd42213d3d45f','{"done":[],"file":"a.csv","name":"a","record":"r1","replaces":"","sheet":""}','b0e1b7b795a00ebb64e24cfe62759b4c117eae3aba59d70144468e2f2e3346f4','77bc10204a6ff5abf9c0b3c9550363ce6353b1434fa2203cf685a6c867d856e0');
INSERT INTO "event" VALUES(3,'2026-11-28T14:22:26.955023Z','fit_started','','2b6b7ec98def4d868c0f30ea2faa7112','98786783d08adf4a0e96af9b272fc3c885bc3c2aa56bd2f11456c0fda2536f50','{"about":{"seed":0},"data":2,"fit":"f1"}','77bc10204a6ff5abf9c0b3c9550363ce6353b1434fa2203cf685a6c867d856e0','b54c7da09969059e5a7146d32d54c12ecbc98d2b86c3315b0065484b4b058de6');
INSERT INTO "event" VALUES(4,'2026-11-28T14:22:26.966735Z','fit_ended','','277a8e290cee493184a7392855297ecb','6cb83cecbc07f5e5d356a676bdb755a09120062438e3fab28f612bb03ae6b8f0','{"fit":"f1","outcome":{"verdict":"green"},"posterior":"p1","state":"done"}','b54c7da09969059e5a7146d32d54c12ecbc98d2b86c3315b0065484b4b058de6','90395a56c4b6cd077419a406b5d965d887ee7ad7f7ecf4d6ebd9f3a0f3bac615');
INSERT INTO "event" VALUES(5,'2026-11-28T14:22:26.975730Z','proposed','','ask-1','fc59340e3ecf9c7adef926c7c3f05f41c122e9cce47b50b9410ccd89c699df24','{"proposals":[{"about":{},"design":{"temperature":700.0},"instrument":"","measures":"","name":"P1","place":"P1"},{"about":{},"design":{"temperature":701.0},"instrument":"","measures":"","name":"P2","place":"P2"},{"about":{},"design":{"temperature":702.0},"instrument":"","measures":"","name":"P3","place":"P3"}],"units":{"temperature":"degC"}}','90395a56c4b6cd077419a406b5d965d887ee7ad7f7ecf4d6ebd9f3a0f3bac615','771705e7b4ef6b763c9c0163b208c9a06f67326f4f1d6a3e9766e7c7809be02a');
INSERT INTO "event" VALUES(6,'2026-11-28T14:22:26.982442Z','claimed','','cf0fb1a86d3e4c8abd4592e8920aec42','d5f98bac06df05d8583c8749533a64ed0a02f31086945db7c2ae5ec33c80333e','{"claimed_by":"robot","lease_until":"2026-01-01T00:00:00.000000Z","proposal":"P1"}','771705e7b4ef6b763c9c0163b208c9a06f67326f4f1d6a3e9766e7c7809be02a','e2080b4af643f28987101c2cc7ad3742e9a093070f6b50f490c3cf197968a274');
INSERT INTO "event" VALUES(7,'2026-11-28T14:22:26.990307Z','renewed','','059e54bebbcb41aa9e9b80cd8030b097','20a3cae84d8d5e6f4712f31ad6622188386d87a28ad6ada9937fbc266ed00720','{"lease_until":"2026-01-02","proposal":"P1","state":"running"}','e2080b4af643f28987101c2cc7ad3742e9a093070f6b50f490c3cf197968a274','2a988efd6caa54cedcd3071a9b1480eeba37650fed36fea9c49a36014e74f5fc');
INSERT INTO "event" VALUES(8,'2026-11-28T14:22:26.998690Z','told','','tell-1','cc48b369b14cc774a0ac1414b0f35973a80a021a3ac3a3e0010d46c2195c58d9','{"asked":{},"made":{"temperature":701.0},"proposal":"P1","results":[{"flag":"ok","label":null,"property":"hardness","sd":null,"unit":"GPa","value":5.0}],"specimen":"P1","state":"done","units":{"temperature":"degC"}}','2a988efd6caa54cedcd3071a9b1480eeba37650fed36fea9c49a36014e74f5fc','eab06554752454d73a8b0b1f00009572724c1982a318579ced3584546e57c62a');
INSERT INTO "event" VALUES(9,'2026-11-28T14:22:27.013665Z','claimed','','60d9bebac2fc4a2f90480c8702424449','0b6863e13940823804ba6675a3f9378b5614bc6c2b81de8d08eeee95f60d6d93','{"claimed_by":"robot","lease_until":"2026-01-01T00:00:00.000000Z","proposal":"P2"}','eab06554752454d73a8b0b1f00009572724c1982a318579ced3584546e57c62a','d113a96b8aa29995c20d8b5174419603a4acf1726125686af84b967721d55059');
INSERT INTO "event" VALUES(10,'2026-11-28T14:22:27.018232Z','moved','','c35d757c82ee4531b515ccff6bb2e252','bfd6922cdb0277cc1355c3bd84f04e94cd693b6ed8bb2e94ecf70822bd0e362a','{"proposals":["P2"],"state":"failed","why":"cracked"}','d113a96b8aa29995c20d8b5174419603a4acf1726125686af84b967721d55059','d7e074749d67526a4e346fd9c91e6c3656ca12d7cae191cd5b5b35e49f6474ce');
INSERT INTO "event" VALUES(11,'2026-11-28T14:22:27.030500Z','moved','','1be3dbf43f0548a186e7a5261cd9956c','935d00e79a02f1b8673e550fb0161e3836a12f8884d34b89370e9dddfcefc127','{"proposals":["P3"],"state":"abandoned","why":""}','d7e074749d67526a4e346fd9c91e6c3656ca12d7cae191cd5b5b35e49f6474ce','ae4dfedfa36929a590183dbb9cb501b5b09f587825e35b245b7510b5864b26bf');
INSERT INTO "event" VALUES(12,'2026-11-28T14:22:27.038307Z','attached','','4e795c750da740559cade161a36dec8a','748c0ff97791e774a77d584d36662b8affaee19585b2fcecc6868c8f6e94303a','{"name":"x.xy","proposal":"P1","sha256":"0000000000000000000000000000000000000000000000000000000000000000","specimen":"P1"}','ae4dfedfa36929a590183dbb9cb501b5b09f587825e35b245b7510b5864b26bf','bc9b50af99b15250d49d39686faaa9a5c7e7369880c8ae0f8bc30817c294e839');
INSERT INTO "event" VALUES(13,'2026-11-28T14:22:27.050524Z','told','','500617cf015a4676b7980daa9d05589b','ad22eaa420a9bc1f619c40aeffbe3daaf2990ff2eef9edeca8515d23982d3e77','{"asked":{},"made":{"temperature":701.0},"proposal":"","results":[{"flag":"ok","label":null,"property":"hardness","sd":null,"unit":"GPa","value":99.0}],"specimen":"P9","state":"","units":{"temperature":"degC"}}','bc9b50af99b15250d49d39686faaa9a5c7e7369880c8ae0f8bc30817c294e839','ba200979e7558d2f53c10124fa4a799b38459a6071cabe8a3f9697eb1fe7e7f2');
INSERT INTO "event" VALUES(14,'2026-11-28T14:22:27.062423Z','undone','','86e095f0fd1145609709ff2cfd2dce4f','18fbe2e4fe922e7801ea011d2e3e3d7b7e0ee69b2632e545154ce6698b7eb716','{"changes_data":true,"event":13,"record":null,"why":"a slip"}','ba200979e7558d2f53c10124fa4a799b38459a6071cabe8a3f9697eb1fe7e7f2','6b5f20bd0677bee6157b7212d82f7c35b4fff1214d7c325e15964ff180db7190');
INSERT INTO "event" VALUES(15,'2026-11-28T14:22:27.086687Z','imported','','049ea00d18854eca92c44ecaa118ae7e','9d5f17f18b8f7a63b2a564e3056508716f5b25e6f2a5eb3d974776c7bbf68cf6','{"done":["P2"],"file":"b.csv","name":"b","record":"r2","replaces":"","sheet":""}','6b5f20bd0677bee6157b7212d82f7c35b4fff1214d7c325e15964ff180db7190','56cae9ad8141e075fa7e6acc542d9ec936b0b9f727634c6e353c1f7f84807305');
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
INSERT INTO "fit" VALUES('f1',3,'done','2026-11-28T14:22:26.955023Z','2026-11-28T14:22:26.966735Z',2,'{"seed": 0}','p1','{"verdict": "green"}');
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
INSERT INTO "measurement" VALUES(8,0,'P1','P1','hardness',5.0,NULL,NULL,'ok','GPa','2026-11-28T14:22:26.998690Z');
CREATE TABLE proposal (
	name TEXT NOT NULL, 
	event BIGINT NOT NULL, 
	line INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	place TEXT NOT NULL, 
	measures TEXT NOT NULL, 
	instrument TEXT NOT NULL, 
	design TEXT NOT NULL, 
	units TEXT NOT NULL, 
	about TEXT NOT NULL, 
	claimed_by TEXT NOT NULL, 
	lease_until TEXT NOT NULL, 
	changed BIGINT NOT NULL, 
	why TEXT NOT NULL, 
	PRIMARY KEY (name), 
	UNIQUE (event, line)
);
INSERT INTO "proposal" VALUES('P1',5,0,'done','P1','','','{"temperature": 700.0}','{"temperature": "degC"}','{}','robot','',8,'');
INSERT INTO "proposal" VALUES('P2',5,1,'done','P2','','','{"temperature": 701.0}','{"temperature": "degC"}','{}','robot','',15,'cracked');
INSERT INTO "proposal" VALUES('P3',5,2,'abandoned','P3','','','{"temperature": 702.0}','{"temperature": "degC"}','{}','','',11,'');
CREATE TABLE specimen (
	name TEXT NOT NULL, 
	event BIGINT NOT NULL, 
	proposal TEXT NOT NULL, 
	asked TEXT NOT NULL, 
	made TEXT NOT NULL, 
	units TEXT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "specimen" VALUES('P1',8,'P1','{}','{"temperature": 701.0}','{"temperature": "degC"}');
CREATE TABLE version (
	number INTEGER NOT NULL, 
	PRIMARY KEY (number)
);
INSERT INTO "version" VALUES(1);
CREATE TRIGGER event_refuses_update BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER event_refuses_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE INDEX by_state ON proposal (state, instrument);
CREATE UNIQUE INDEX one_live_proposal ON proposal (place, measures) WHERE state IN ('proposed', 'claimed', 'running');
COMMIT;
