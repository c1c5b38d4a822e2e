/**
 * The raw functions of kernel.wasm. Pointers and counts go in as numbers; what comes back is a signed 32-bit number, so a
 * returned pointer is a pointer only after `>>> 0`: callers outside this folder use the classes, which do that.
 * Every `…Ptr` to f64 or u64 elements is 8-byte aligned. A column of n f64 occupies 8 n bytes; a `present` column n bytes of 0 or 1.
 */
export interface KernelExports {
  // Memory.
  initTables(): void;
  allocateSpan(bytes: number, readerSlot: number): number;
  /** 1, or 0 if the span was not allocated (a defect of the caller; nothing is changed). */
  freeSpan(ptr: number, bytes: number, readerSlot: number): number;
  /** 1, or 0 if some of these pages are in use. They are the caller's until `freeSpan`, and count as untouched, which they must be by then. */
  takeFreeSpan(ptr: number, bytes: number, readerSlot: number): number;
  arenaAllocate(bytes: number): number;
  arenaFree(ptr: number, bytes: number): void;
  arenaRetire(ptr: number, bytes: number): void;
  arenaReclaim(): number;
  /** The bytes a request is rounded up to. */
  arenaClassBytes(bytes: number): number;
  epochEnter(readerSlot: number): number;
  epochLeave(readerSlot: number): void;
  epochAdvance(): number;
  epochOldest(): number;

  // Series and samples.
  seriesCreate(ref: number, labelsPtr: number): number;
  seriesRelease(ref: number): void;
  seriesTruncate(ref: number, minTimestampMs: number): number;
  seriesAttachChunks(ref: number, newest: number): number;
  seriesCloseChunk(ref: number): number;
  filterSeries(
    refsPtr: number,
    count: number,
    share: number,
    shares: number,
    name: number,
    type: number,
    unit: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    anyTime: number,
    refsOut: number,
    labelsOut: number,
  ): number;
  /** The symbol of the text, 0 when the memory is full. */
  internSymbol(textPtr: number, bytes: number): number;
  /** The value word of `key` in the table that the word at `ownerPtr` leads to; 0 when the memory is full. */
  insertPair(ownerPtr: number, key: number): number;
  /** 1, or 0 when the memory is full. */
  reservePosting(wordPtr: number): number;
  pushPosting(wordPtr: number, ref: number): void;
  seriesFind(statePtr: number): number;
  /** 1, or 0 when the memory is full. */
  seriesAdd(statePtr: number, ref: number): number;
  readSeriesRecord(statePtr: number): number;
  unindexSeries(hash: number, ref: number): void;
  isolationNote(ref: number, newestMs: number): void;
  isolationShow(): void;
  isolationPublish(): void;
  seriesSampleCount(ref: number, minTimestampMs: number, maxTimestampMs: number): number;
  checkBatch(
    refsPtr: number,
    timestampsPtr: number,
    valuesPtr: number,
    statusPtr: number,
    count: number,
    minValidTimeMs: number,
    maxValidTimeMs: number,
  ): number;
  appendBatch(
    refsPtr: number,
    timestampsPtr: number,
    valuesPtr: number,
    statusPtr: number,
    count: number,
    chunkRangeMs: number,
    samplesPerChunk: number,
  ): number;
  /** A `SampleStatus`. */
  appendStarted(
    ref: number,
    timestampMs: number,
    valueBits: bigint,
    startTimestampMs: number,
    chunkRangeMs: number,
    samplesPerChunk: number,
  ): number;
  encodeSamplesRecord(
    refsPtr: number,
    timestampsPtr: number,
    valuesPtr: number,
    statusPtr: number,
    count: number,
    outPtr: number,
    outCapacity: number,
  ): number;
  decodeSamplesRecord(
    recordPtr: number,
    recordBytes: number,
    refsPtr: number,
    timestampsPtr: number,
    valuesPtr: number,
    capacity: number,
    minTimeMs: number,
    storedUntilMs: number,
    aliasesPtr: number,
    firstAlias: number,
    aliasCount: number,
  ): number;
  /** 1, or 0 when the refs spread over more numbers than there are positions: then nothing was written. */
  orderBySeries(
    refsPtr: number,
    timestampsPtr: number,
    valuesPtr: number,
    count: number,
    refsOut: number,
    timestampsOut: number,
    valuesOut: number,
    positionsPtr: number,
    positionsMax: number,
  ): number;
  /** Bytes, -1 when the block is damaged, -2 when it holds more than `capacity`. */
  uncompressSnappy(blockPtr: number, blockBytes: number, outPtr: number, capacity: number): number;
  /** `startsPtr` is 0 where none is known. */
  encodeFloats(
    encoding: number,
    tsPtr: number,
    vsPtr: number,
    startsPtr: number,
    count: number,
    outPtr: number,
    outCapacity: number,
  ): number;
  /** `startsOut` is 0 where they are not wanted. */
  decodeFloats(
    encoding: number,
    dataPtr: number,
    dataBytes: number,
    count: number,
    tsOut: number,
    vsOut: number,
    startsOut: number,
    capacity: number,
  ): number;
  decodeHistogramRows(
    dataPtr: number,
    dataBytes: number,
    firstBit: number,
    isFloat: number,
    count: number,
    positive: number,
    negative: number,
    withBuckets: number,
    statePtr: number,
    rowsOut: number,
  ): number;
  decodeSeries(
    ref: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    dropStale: number,
    tsOut: number,
    vsOut: number,
    startsOut: number,
    capacity: number,
    filesPtr: number,
    filesCount: number,
  ): number;
  decodeSeriesRun(
    runPtr: number,
    series: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    dropStale: number,
    tsOut: number,
    vsOut: number,
    capacity: number,
    filesPtr: number,
    filesCount: number,
  ): number;
  dropStaleMarkers(tsPtr: number, vsPtr: number, count: number): number;
  countStoredFloats(ptr: number, bytes: number, tablePtr: number, chunks: number): number;
  decodeStoredFloats(
    ptr: number,
    bytes: number,
    tablePtr: number,
    chunks: number,
    tsOut: number,
    vsOut: number,
    capacity: number,
  ): number;
  encodeClosedChunks(
    outPtr: number,
    capacity: number,
    tablePtr: number,
    entriesMax: number,
    file: number,
    offset: number,
  ): void;
  finishClosedWrite(tablePtr: number, isWritten: number): void;
  scanHeadChunks(dataPtr: number, bytes: number, isEnd: number, tablePtr: number, entriesMax: number): void;
  attachScanned(
    tablePtr: number,
    from: number,
    file: number,
    start: number,
    countMasksPtr: number,
    minTimeMs: number,
    outPtr: number,
  ): number;
  headChunkStub(
    older: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    count: number,
    encoding: number,
    file: number,
    offset: number,
    bytes: number,
  ): number;
  freeHeadChunkStubs(newest: number): void;
  listFileChunks(
    ref: number,
    minTimestampMs: number,
    maxTimestampMs: number,
    entriesPtr: number,
    capacity: number,
  ): number;
  /** `orderPtr` and `sparePtr`: u32 for each entry; `digitsPtr`: u32 × 256. */
  orderFileChunks(
    entriesPtr: number,
    count: number,
    orderPtr: number,
    sparePtr: number,
    digitsPtr: number,
  ): void;
  /** `start`: f64 place of the source's first byte. Returns where the records end. */
  placeRecords(
    entriesPtr: number,
    orderPtr: number,
    count: number,
    start: number,
    sourcePtr: number,
    sourceBytes: number,
    outPtr: number,
  ): number;
  /** Bytes; see `blockSeries` and `blockChunk`. `unit`: where the first is in the index, in units of 16 bytes. */
  encodeSeriesEntries(
    seriesPtr: number,
    count: number,
    wordsPtr: number,
    chunksPtr: number,
    unit: number,
    outPtr: number,
  ): number;
  /** A `BlockRunEnd`, by its place; see `blockRunState`. */
  copyBlockRun(statePtr: number): number;
  frameChunk(encoding: number, dataPtr: number, dataBytes: number, outPtr: number): number;
  fileChunkData(entryPtr: number): number;
  /** Of the chunk that `fileChunkData` found last. */
  fileChunkDataBytes(): number;

  // Hashes.
  crc32c(ptr: number, bytes: number, seed: number): number;
  hash32(ptr: number, bytes: number): number;
  hash64(ptr: number, bytes: number): bigint;

  // Windows and rows.
  window(
    functionId: number,
    tsPtr: number,
    vsPtr: number,
    count: number,
    startMs: number,
    stepMs: number,
    steps: number,
    rangeMs: number,
    outPtr: number,
    presentPtr: number,
    argPtr: number,
    offsetMs: number,
    scratchPtr: number,
  ): number;
  windowRun(
    functionId: number,
    runPtr: number,
    series: number,
    tsPtr: number,
    vsPtr: number,
    startMs: number,
    stepMs: number,
    steps: number,
    rangeMs: number,
    outPtr: number,
    presentPtr: number,
  ): void;
  selectInstant(
    tsPtr: number,
    vsPtr: number,
    count: number,
    startMs: number,
    stepMs: number,
    steps: number,
    lookbackMs: number,
    outPtr: number,
    presentPtr: number,
    sampleTimesPtr: number,
  ): number;
  quantile(q: number, valuesPtr: number, count: number): number;
  aggregateBegin(aggregationId: number, statePtr: number, steps: number): void;
  aggregateAdd(
    aggregationId: number,
    statePtr: number,
    rowPtr: number,
    presentPtr: number,
    steps: number,
  ): void;
  aggregateFinish(
    aggregationId: number,
    statePtr: number,
    outPtr: number,
    presentPtr: number,
    steps: number,
  ): number;
  binaryRows(
    operatorId: number,
    leftPtr: number,
    leftPresentPtr: number,
    rightPtr: number,
    rightPresentPtr: number,
    outPtr: number,
    presentPtr: number,
    steps: number,
    returnBool: number,
    keepRight: number,
  ): number;
  /** Bytes written, or -1 - step: a number beyond the tables. */
  formatRow(
    rowPtr: number,
    presentPtr: number,
    steps: number,
    timesPtr: number,
    timeOffsetsPtr: number,
    outPtr: number,
  ): number;

  // Scraped text.
  lineTableParse(statePtr: number): number;
  lineTableAddEntry(statePtr: number, ref: number): number;
  lineTableFinish(statePtr: number): number;
  lineTableFail(statePtr: number): number;
  lineTableFree(statePtr: number): void;
  /** The number at [ptr, ptr + bytes) as f64 bits to outPtr; 1 if it was in the fast grammar, else 0. */
  parseNumber(ptr: number, bytes: number, outPtr: number): number;
}
