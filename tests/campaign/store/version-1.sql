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
INSERT INTO "event" VALUES(1,'2026-11-28T14:33:30.007612Z','created','ada','74b893ca35094ad79b45243cf858ba54','b09490a828ec20e05721e8d0d43b0908ad677023ceb569e2d3d2483d19f4995d','{"name":"steel"}','0000000000000000000000000000000000000000000000000000000000000000','db269fddc59460bb5eba464f0546e087fdc86c3b8ab4a80dde32b30a01215ffc');
INSERT INTO "event" VALUES(2,'2026-11-28T14:33:30.018636Z','imported','','b1af3a33486c4865953c8c9b5f73b334','a22c1cb4842545c9a8d3999900b9f75884a17207a9d4a45a238bd42213d3d45f','{"done":[],"file":"a.csv","name":"a","record":"r1","replaces":"","sheet":""}','db269fddc59460bb5eba464f0546e087fdc86c3b8ab4a80dde32b30a01215ffc','8aecc2d92a613227daa904048bf42fab1146a567fa15767a39a402289a6f9c2f');
INSERT INTO "event" VALUES(3,'2026-11-28T14:33:30.030452Z','fit_started','','52f30c8fc38e48ab8f9caf91e43e95ff','98786783d08adf4a0e96af9b272fc3c885bc3c2aa56bd2f11456c0fda2536f50','{"about":{"seed":0},"data":2,"fit":"f1"}','8aecc2d92a613227daa904048bf42fab1146a567fa15767a39a402289a6f9c2f','08791b040af0f5f3b3f1e238733c0b463fba2b2b132c85214f755f99deefcef1');
INSERT INTO "event" VALUES(4,'2026-11-28T14:33:30.038410Z','fit_ended','','91973fea46c64950a72f35933a28cc1e','6cb83cecbc07f5e5d356a676bdb755a09120062438e3fab28f612bb03ae6b8f0','{"fit":"f1","outcome":{"verdict":"green"},"posterior":"p1","state":"done"}','08791b040af0f5f3b3f1e238733c0b463fba2b2b132c85214f755f99deefcef1','65006b6f6532f5cb70f5e6969b6ddbf26e93c2384d12aa7194dbcdc0e9341ab7');
INSERT INTO "event" VALUES(5,'2026-11-28T14:33:30.047400Z','proposed','','ask-1','a33ce8e2b83b80d37e34b47c11fa5d44609117c405ef4964f2b47eb07400972e','{"attrs":{"temperature":{"units":"degC"}},"proposals":[{"about":{},"design":{"temperature":700.0},"instrument":"","measures":"","name":"P1","place":"P1"},{"about":{},"design":{"temperature":701.0},"instrument":"","measures":"","name":"P2","place":"P2"},{"about":{},"design":{"temperature":702.0},"instrument":"","measures":"","name":"P3","place":"P3"}]}','65006b6f6532f5cb70f5e6969b6ddbf26e93c2384d12aa7194dbcdc0e9341ab7','5dd6a1615791ee3cee7e6fbb0ffb94d883d0d3a79567b6da8513da341b2e9015');
INSERT INTO "event" VALUES(6,'2026-11-28T14:33:30.058361Z','claimed','','c2cff8b24f73444e9aefc3c64e02d3af','d5f98bac06df05d8583c8749533a64ed0a02f31086945db7c2ae5ec33c80333e','{"claimed_by":"robot","lease_until":"2026-01-01T00:00:00.000000Z","proposal":"P1"}','5dd6a1615791ee3cee7e6fbb0ffb94d883d0d3a79567b6da8513da341b2e9015','2ed12257490005509781b5672da438eee3acd5972d109e8641876db9768ec396');
INSERT INTO "event" VALUES(7,'2026-11-28T14:33:30.066284Z','renewed','','f3d3508e36fc4202a927ba0f16ab37fe','20a3cae84d8d5e6f4712f31ad6622188386d87a28ad6ada9937fbc266ed00720','{"lease_until":"2026-01-02","proposal":"P1","state":"running"}','2ed12257490005509781b5672da438eee3acd5972d109e8641876db9768ec396','9897df5ea09742affad4fb3075092e7169ba19bb9e1126782c3e40a00982eda9');
INSERT INTO "event" VALUES(8,'2026-11-28T14:33:30.074653Z','told','','tell-1','bb3c6cd1e511df4cba685c97769edd3270e3a519afaac849e91c7eb332031262','{"asked":{},"attrs":{"temperature":{"units":"degC"}},"made":{"temperature":701.0},"proposal":"P1","results":[{"flag":"ok","label":null,"property":"hardness","sd":null,"unit":"GPa","value":5.0}],"specimen":"P1","state":"done"}','9897df5ea09742affad4fb3075092e7169ba19bb9e1126782c3e40a00982eda9','3f464dbbd3b1f126f53956aa609ac0d2d55d350bd910a3cade80d2c366a577c6');
INSERT INTO "event" VALUES(9,'2026-11-28T14:33:30.090383Z','claimed','','b6bee6aeb4754dc5851f4b5fb65e8a87','0b6863e13940823804ba6675a3f9378b5614bc6c2b81de8d08eeee95f60d6d93','{"claimed_by":"robot","lease_until":"2026-01-01T00:00:00.000000Z","proposal":"P2"}','3f464dbbd3b1f126f53956aa609ac0d2d55d350bd910a3cade80d2c366a577c6','c397db2742502b9f4a387826e8893dfb2f3b217bf07dd2f316437629fc8fe085');
INSERT INTO "event" VALUES(10,'2026-11-28T14:33:30.098267Z','moved','','083b049ab5374db0bef129702ec8ac9b','bfd6922cdb0277cc1355c3bd84f04e94cd693b6ed8bb2e94ecf70822bd0e362a','{"proposals":["P2"],"state":"failed","why":"cracked"}','c397db2742502b9f4a387826e8893dfb2f3b217bf07dd2f316437629fc8fe085','798198a772d2428d308b06456c99d6c8e249a0496099b25dc114552804d4d570');
INSERT INTO "event" VALUES(11,'2026-11-28T14:33:30.106276Z','moved','','b4ab41303b3840fc9000b0fb96568369','935d00e79a02f1b8673e550fb0161e3836a12f8884d34b89370e9dddfcefc127','{"proposals":["P3"],"state":"abandoned","why":""}','798198a772d2428d308b06456c99d6c8e249a0496099b25dc114552804d4d570','baedd329b34f01f18e0680f217346f9b5ffc64a7d28a9cbaa85a463768cbcab8');
INSERT INTO "event" VALUES(12,'2026-11-28T14:33:30.114218Z','attached','','d5a39173402a42359a761d8f0973ceb3','748c0ff97791e774a77d584d36662b8affaee19585b2fcecc6868c8f6e94303a','{"name":"x.xy","proposal":"P1","sha256":"0000000000000000000000000000000000000000000000000000000000000000","specimen":"P1"}','baedd329b34f01f18e0680f217346f9b5ffc64a7d28a9cbaa85a463768cbcab8','473a833dd3e31d04550a723cb075cfdbb8b17b17c485b5349d08b93ad49b9952');
INSERT INTO "event" VALUES(13,'2026-11-28T14:33:30.122135Z','told','','e4d783071ad04ca5912208b9e8b50d8f','e44adb12642b661d55ee68bbd10c99299725d1f95282a28bada4c8ec90d9e328','{"asked":{},"attrs":{"temperature":{"units":"degC"}},"made":{"temperature":701.0},"proposal":"","results":[{"flag":"ok","label":null,"property":"hardness","sd":null,"unit":"GPa","value":99.0}],"specimen":"P9","state":""}','473a833dd3e31d04550a723cb075cfdbb8b17b17c485b5349d08b93ad49b9952','e02f27ebf1d99ab40a61087072658ff8772f13e261505904450d1140bc320ad5');
INSERT INTO "event" VALUES(14,'2026-11-28T14:33:30.128227Z','undone','','3a5071a7c8ca4b76baebafdf437a8d6f','18fbe2e4fe922e7801ea011d2e3e3d7b7e0ee69b2632e545154ce6698b7eb716','{"changes_data":true,"event":13,"record":null,"why":"a slip"}','e02f27ebf1d99ab40a61087072658ff8772f13e261505904450d1140bc320ad5','f2a1451d4cc4471f3381efeb005c9b207bf0bc6b01accb508133b6792be6bcf4');
INSERT INTO "event" VALUES(15,'2026-11-28T14:33:30.150268Z','imported','','f41d045508c2449c91fdc748f94511f7','9d5f17f18b8f7a63b2a564e3056508716f5b25e6f2a5eb3d974776c7bbf68cf6','{"done":["P2"],"file":"b.csv","name":"b","record":"r2","replaces":"","sheet":""}','f2a1451d4cc4471f3381efeb005c9b207bf0bc6b01accb508133b6792be6bcf4','c5ee288ab84b20ba25f16a9b4f1fcb6e69b84f073f931f516f524289ddd0a8b2');
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
INSERT INTO "fit" VALUES('f1',3,'done','2026-11-28T14:33:30.030452Z','2026-11-28T14:33:30.038410Z',2,'{"seed": 0}','p1','{"verdict": "green"}');
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
INSERT INTO "measurement" VALUES(8,0,'P1','P1','hardness',5.0,NULL,NULL,'ok','GPa','2026-11-28T14:33:30.074653Z');
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
INSERT INTO "version" VALUES(1);
CREATE TRIGGER event_refuses_update BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER event_refuses_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE UNIQUE INDEX one_live_proposal ON proposal (place, measures) WHERE state IN ('proposed', 'claimed', 'running');
CREATE INDEX by_state ON proposal (state, instrument);
COMMIT;
