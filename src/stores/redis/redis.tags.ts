/**
 * The hash tags of the buckets.
 *
 * A cluster gives each master a share of the 16,384 slots, as a rule in contiguous ranges. The
 * slot of tag i is the centre of the i-th of 256 equal ranges, so that every master gets its share
 * of the tags. Made by `tools/redis-tags.mjs`; a change would lose every key.
 */
const TAGS = `
  dlH cPb aio fUE lFD aS4 cj9 z1 BJ bBc akO fWe lDd baw bx8 dT3
  fHJ a0h cMm dqG nbF aWt cny dRS fJj a2H cOM dsg opG aUT b8p 8Y
  apd fLN Ya bYH aSp foZ zu jsD arD fNn dwc cKI aQP dM8 xU jqd
  bDG f fQA amk aW0 gz eB6 hWF bFg FN fSa aoK bes eZ dP7 b84
  Qh bQA axm fDG 6t aB6 iRa k3 SH bSa azM fFg 4T bpu aYY dE1
  fYH aeb bLN Lg 24 aFv boZ os gKI agB bNn NG nqd aDV bmz mS
  aaf gMm Hc bHJ aBr r8 kw jbF acF gOM JC bJj bp1 f8p iW kpG
  bUE Ul gPb a8a aF2 vx o7 hFD bWe WL fBc hgp btq tX dA5 hDd
  bn bbG aKk fwA Az aq0 hqF X5 dLl cpF aIK fua CZ bCs hsf dv7
  fjN aVd coi dSC ey9 aup jUD dpW fhn aTD cmI 9I dk8 awP jWd drw
  hKY fnJ dWG ckm aqt e95 Xq bXX hIy flj yE byl asT nFf ZQ bZx
  bfC fj fsE aOo au4 mpe fPQ cL9 bdc dJ fqe aMO bGw lbd dr3 hwb
  sl bsE aZi ffC Px bPQ ipe I7 qL bqe aXI fdc RX bRq hbd dg5
  gkm aGf bnJ nc T8 adr a95 Mw fyl aEF blj lC fZx afR jFf OW
  aCb goi jg bjN hyO nUD Is ay9 aAB gmI hG bhn abV nWd KS bKz
  bwA wh fbG hGT ad6 lqF M3 a9q bua uH gpF hEt bVu lsf dc1 ivA
`
  .trim()
  .split(/\s+/);

/** The tag of a bucket; more buckets than tags share them, fewer are spread over all. */
export function tagOf(bucket: number, buckets: number): string {
  return TAGS[Math.floor(((bucket + 0.5) * TAGS.length) / buckets)] ?? '';
}
