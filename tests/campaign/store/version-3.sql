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
INSERT INTO "event" VALUES(1,'2026-11-28T17:59:19.979580Z','created','ada','ff5c73e96903400d8e0b38aa4c98cae7','b09490a828ec20e05721e8d0d43b0908ad677023ceb569e2d3d2483d19f4995d','{"name":"steel"}','0000000000000000000000000000000000000000000000000000000000000000','642a471c28c42ae157e20fa01fb8003b4771c9b80a164a458c2ca97e2e1a52aa');
INSERT INTO "event" VALUES(2,'2026-11-28T17:59:19.990689Z','imported','','001e0226e6ed4be4ae3cd08279260caf','a22c1cb4842545c9a8d3999900b9f75884a17207a9d4a45a238bd42213d3d45f','{"name":"a","record":"r1","file":"a.csv","sheet":"","replaces":"","done":[]}','642a471c28c42ae157e20fa01fb8003b4771c9b80a164a458c2ca97e2e1a52aa','157c3f9316d1fb97e49d3ac1de0e6ffe94e30c6e35891be968977717e391942c');
INSERT INTO "event" VALUES(3,'2026-11-28T17:59:19.998320Z','fit_started','','3eda4fb7f66743168a226cf894bc52a8','98786783d08adf4a0e96af9b272fc3c885bc3c2aa56bd2f11456c0fda2536f50','{"fit":"f1","data":2,"about":{"seed":0}}','157c3f9316d1fb97e49d3ac1de0e6ffe94e30c6e35891be968977717e391942c','25accf166a8ddbbbe10aad184fd25369e3cf349ae5b5992cb43bf3a47e50ee6d');
INSERT INTO "event" VALUES(4,'2026-11-28T17:59:20.006383Z','fit_ended','','eeeffec39afc48f18d6fb539f2fa0c15','6cb83cecbc07f5e5d356a676bdb755a09120062438e3fab28f612bb03ae6b8f0','{"fit":"f1","state":"done","posterior":"p1","outcome":{"verdict":"green"}}','25accf166a8ddbbbe10aad184fd25369e3cf349ae5b5992cb43bf3a47e50ee6d','978a3c175c273c4b9964cc6963bd3ee63b5148fdb4e6dc9f36462170db128d0b');
INSERT INTO "event" VALUES(5,'2026-11-28T17:59:20.015279Z','proposed','','ask-1','a33ce8e2b83b80d37e34b47c11fa5d44609117c405ef4964f2b47eb07400972e','{"attrs":{"temperature":{"units":"degC"}},"proposals":[{"name":"P1","place":"P1","design":{"temperature":700.0},"measures":"","instrument":"","about":{}},{"name":"P2","place":"P2","design":{"temperature":701.0},"measures":"","instrument":"","about":{}},{"name":"P3","place":"P3","design":{"temperature":702.0},"measures":"","instrument":"","about":{}}]}','978a3c175c273c4b9964cc6963bd3ee63b5148fdb4e6dc9f36462170db128d0b','6fcefd4a2908fd4662fc77a09cd5a6d2fef839e41a0ef8bfdd198f147c8c3873');
INSERT INTO "event" VALUES(6,'2026-11-28T17:59:20.022265Z','claimed','','238a48a16a354f57a08213095845a87b','d5f98bac06df05d8583c8749533a64ed0a02f31086945db7c2ae5ec33c80333e','{"proposal":"P1","claimed_by":"robot","lease_until":"2026-01-01T00:00:00.000000Z"}','6fcefd4a2908fd4662fc77a09cd5a6d2fef839e41a0ef8bfdd198f147c8c3873','45c43d3f3faad462cd13abb28f9c632bbc86891172353380a72eaa7cb168ea95');
INSERT INTO "event" VALUES(7,'2026-11-28T17:59:20.030186Z','renewed','','0f8251bf6f0c4c468f0e656c3632bbfd','20a3cae84d8d5e6f4712f31ad6622188386d87a28ad6ada9937fbc266ed00720','{"proposal":"P1","state":"running","lease_until":"2026-01-02"}','45c43d3f3faad462cd13abb28f9c632bbc86891172353380a72eaa7cb168ea95','8a5d7ba492633a5285e9ebc2a7e5419f38b6d09f494bdc1d6c9f43cdf9161863');
INSERT INTO "event" VALUES(8,'2026-11-28T17:59:20.035433Z','told','','tell-1','b4b3194c370191012e1a1ac8c05057ec0660e890e221e7797f30560f474d35f7','{"specimen":"P1","proposal":"P1","state":"done","why":"","asked":{},"made":{"temperature":701.0},"attrs":{"temperature":{"units":"degC"}},"results":[{"property":"hardness","value":5.0,"label":null,"sd":null,"flag":"ok","unit":"GPa"}]}','8a5d7ba492633a5285e9ebc2a7e5419f38b6d09f494bdc1d6c9f43cdf9161863','42359e3b6cb6716a94387a123bb881843252d55721067e369bdc58cbfd06436c');
INSERT INTO "event" VALUES(9,'2026-11-28T17:59:20.058391Z','claimed','','6564c07bda4543a588ccabcdf3d4987e','0b6863e13940823804ba6675a3f9378b5614bc6c2b81de8d08eeee95f60d6d93','{"proposal":"P2","claimed_by":"robot","lease_until":"2026-01-01T00:00:00.000000Z"}','42359e3b6cb6716a94387a123bb881843252d55721067e369bdc58cbfd06436c','00aba54fbb695b757231b577df9c29e360b4555da68cae6602c23a1599c2e286');
INSERT INTO "event" VALUES(10,'2026-11-28T17:59:20.066322Z','moved','','38146532aa6649c88ab311cee76e2209','bfd6922cdb0277cc1355c3bd84f04e94cd693b6ed8bb2e94ecf70822bd0e362a','{"proposals":["P2"],"state":"failed","why":"cracked"}','00aba54fbb695b757231b577df9c29e360b4555da68cae6602c23a1599c2e286','f2cd0b061ec44f178f6a1efde47e776f78637048b9b304f62847f5662258575c');
INSERT INTO "event" VALUES(11,'2026-11-28T17:59:20.075179Z','moved','','6054eb17f41148dc87d9b8642e9c8fa9','935d00e79a02f1b8673e550fb0161e3836a12f8884d34b89370e9dddfcefc127','{"proposals":["P3"],"state":"abandoned","why":""}','f2cd0b061ec44f178f6a1efde47e776f78637048b9b304f62847f5662258575c','f9e232f68e292b3237bd9fbb18985a85bb1c3d67da79757e171f8ae258f29d1f');
INSERT INTO "event" VALUES(12,'2026-11-28T17:59:20.082276Z','attached','','2508895f32d344bfb467b71f5d6798cd','748c0ff97791e774a77d584d36662b8affaee19585b2fcecc6868c8f6e94303a','{"name":"x.xy","sha256":"0000000000000000000000000000000000000000000000000000000000000000","specimen":"P1","proposal":"P1"}','f9e232f68e292b3237bd9fbb18985a85bb1c3d67da79757e171f8ae258f29d1f','aad5a6b306811113ab71e6bd0a35f6e5bcb2ff2aab5da3c2da7e57f1e9e0eb17');
INSERT INTO "event" VALUES(13,'2026-11-28T17:59:20.098665Z','token_added','','d1ba6e969ebc405b9dbb37f772b45056','31c848114158fb8be963f69965e4e8974003107b8922f07fd89d05f31c1c0976','{"name":"robot","role":"propose","sha256":"robot"}','aad5a6b306811113ab71e6bd0a35f6e5bcb2ff2aab5da3c2da7e57f1e9e0eb17','bcbb5dcf9dfe45cdcb4ddfdd9ba510a025945fb8a3c228aac7792baa60376ff8');
INSERT INTO "event" VALUES(14,'2026-11-28T17:59:20.110495Z','token_added','','9f7028593f5e41d19060a240cf12fd6f','ca5f64a4dc308852af718cb4f21a90c04b5b6a234106555b673cb16cb6b33737','{"name":"guest","role":"propose","sha256":"guest"}','bcbb5dcf9dfe45cdcb4ddfdd9ba510a025945fb8a3c228aac7792baa60376ff8','e24ceccb9627ebec52f4b1f6da14224f6c68e1873b15c216067041a58396d438');
INSERT INTO "event" VALUES(15,'2026-11-28T17:59:20.118421Z','token_revoked','','064a2dfb3e34402ba5ac78719d67b6cf','2fd7334065d0d70d2d3471c86d597b2b5897259cd81579ef7a03ac89496fa765','{"name":"guest"}','e24ceccb9627ebec52f4b1f6da14224f6c68e1873b15c216067041a58396d438','94aa00e22607f8314e801f0afa951f406119502f27fc4c58a71ebe83d05bbedd');
INSERT INTO "event" VALUES(16,'2026-11-28T17:59:20.126324Z','told','','d53e8df51e6642ef89f3edc0279d282e','6a0db89196b00624586bef8fec755b425f768748f6d355ade46b22c2e0b5eb24','{"specimen":"P9","proposal":"","state":"","why":"","asked":{},"made":{"temperature":701.0},"attrs":{"temperature":{"units":"degC"}},"results":[{"property":"hardness","value":99.0,"label":null,"sd":null,"flag":"ok","unit":"GPa"}]}','94aa00e22607f8314e801f0afa951f406119502f27fc4c58a71ebe83d05bbedd','a7323f53438c66d29f93861c5c44ee76de068bf46c61aae1e5a4895d7d383f4b');
INSERT INTO "event" VALUES(17,'2026-11-28T17:59:20.138421Z','undone','','901c43dce3f445229fc6ed25f7403c2d','b136a75d579178f0d406645018c94a042a2b12ba76e0f256b4b45eea78d069dd','{"event":16,"why":"a slip","record":null,"changes_data":true}','a7323f53438c66d29f93861c5c44ee76de068bf46c61aae1e5a4895d7d383f4b','a1c07199fdf404f51a74202614ec94220b09d2efa721b82ec9828f4a255045ac');
INSERT INTO "event" VALUES(18,'2026-11-28T17:59:20.166310Z','imported','','5f81bb1117ed4704a35f3a62166e3d07','9d5f17f18b8f7a63b2a564e3056508716f5b25e6f2a5eb3d974776c7bbf68cf6','{"name":"b","record":"r2","file":"b.csv","sheet":"","replaces":"","done":["P2"]}','a1c07199fdf404f51a74202614ec94220b09d2efa721b82ec9828f4a255045ac','c0a96ff798e24722bed43459c54cd570e41927c50d329d4182ee1a8e20c0a367');
CREATE TABLE fact (
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "fact" VALUES('record','r2');
INSERT INTO "fact" VALUES('data','18');
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
INSERT INTO "fit" VALUES('f1',3,'done','2026-11-28T17:59:19.998320Z','2026-11-28T17:59:20.006383Z',2,'{"seed": 0}','p1','{"verdict": "green"}');
CREATE TABLE import (
	name TEXT NOT NULL, 
	position BIGINT NOT NULL, 
	file TEXT NOT NULL, 
	sheet TEXT NOT NULL, 
	event BIGINT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "import" VALUES('a',2,'a.csv','',2);
INSERT INTO "import" VALUES('b',18,'b.csv','',18);
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
INSERT INTO "measurement" VALUES(8,0,'P1','P1','hardness',5.0,NULL,NULL,'ok','GPa','2026-11-28T17:59:20.035433Z');
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
INSERT INTO "proposal" VALUES('P2',5,1,'done','P2','','','{"temperature": 701.0}','{"temperature": {"units": "degC"}}','{}','robot','',18,'cracked');
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
CREATE TABLE token (
	name TEXT NOT NULL, 
	role TEXT NOT NULL, 
	sha256 TEXT NOT NULL, 
	at TEXT NOT NULL, 
	"by" TEXT NOT NULL, 
	PRIMARY KEY (name), 
	UNIQUE (sha256)
);
INSERT INTO "token" VALUES('robot','propose','robot','2026-11-28T17:59:20.098665Z','');
CREATE TABLE version (
	number INTEGER NOT NULL, 
	PRIMARY KEY (number)
);
INSERT INTO "version" VALUES(3);
CREATE TRIGGER event_refuses_update BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER event_refuses_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE INDEX by_state ON proposal (state, instrument);
CREATE UNIQUE INDEX one_live_proposal ON proposal (place, measures) WHERE state IN ('proposed', 'claimed', 'running');
COMMIT;
